"""Summarizes the quant.sf files of samples to one genes x samples matrix (tximport, lengthScaledTPM).

Files are read in parallel and reduced to genes at once; the numbers are those of
``methods.tximport``. Where the files come from and where the matrix goes is not decided here.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from refinebio_assets.domain import DropKind, Dropped
from refinebio_assets.errors import AllFailedError, PermanentError
from refinebio_assets.formats.gene_map import GeneMap, explain_no_match
from refinebio_assets.formats.quant_sf import TPM_TOTAL, QuantSf, read_quant_sf, require_same_transcripts
from refinebio_assets.methods.tximport import (
    GeneIndex,
    GeneSums,
    RunningGeneLength,
    index_genes,
    length_scaled_tpm,
    sum_to_genes,
)

STEP = "gene_expression"
TPM_TOLERANCE = 1e-3
"""How far, relatively, TPM may sum from 1e6 without a warning. Salmon's rounding (6 decimals, 250,000
transcripts) explains 1e-7."""
_READ_AHEAD = 4
"""Files read before they are asked for: enough that no thread waits while the genes are looked up, few
enough (15 MB each) not to fill the memory."""


@dataclass(frozen=True, slots=True)
class QuantFile:
    """A sample's quant.sf: where it is, and what to call it in messages."""

    sample: str
    path: Path
    label: str


@dataclass(frozen=True, slots=True)
class SampleWarning:
    """Something odd about a sample that is in the matrix all the same."""

    sample: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class TranscriptSummary:
    """Gene expression of samples, and what was left out.

    ``values`` is genes x samples, float64, column-major: counts from length-scaled TPM, no NaN.
    ``genes`` are sorted by id in byte order; ``samples`` are in the order given, less those in
    ``dropped``. ``n_transcripts`` were quantified and ``n_mapped`` of them have a gene; ``unmapped``
    names the others, in the files' order.
    """

    genes: list[str]
    samples: list[str]
    values: npt.NDArray[np.float64]
    dropped: tuple[Dropped, ...]
    n_transcripts: int
    n_mapped: int
    unmapped: list[str]
    warnings: tuple[SampleWarning, ...]


def summarize_quant_files(
    files: Sequence[QuantFile],
    gene_map: GeneMap,
    *,
    threads: int,
    expected_transcripts: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> TranscriptSummary:
    """Read quant.sf files in ``threads`` threads and summarize them to genes.

    All files must list the same transcripts in the same order: ``expected_transcripts`` or, without
    them, the list that most files share (of equally common ones, the first). A sample whose file is
    damaged, has another list, or has no abundance in any gene is dropped with its reason and the
    others go on. The result does not depend on ``threads``. ``progress`` is called with (files done, all).

    Raises AllFailedError when no sample is left, PermanentError when no transcript is in the gene map
    (saying why, most likely), and any TransientError of reading, as another try may give all samples.
    """
    _require_one_file_each(files)
    lists = _Lists(gene_map, expected_transcripts)
    reasons: dict[str, str] = {}
    for done, (file, quant) in enumerate(_read_in_order(files, lists.known, threads), start=1):
        try:
            lists.add(file, quant.result())
        except PermanentError as error:
            reasons[file.sample] = str(error)
        if progress is not None:
            progress(done, len(files))
    shared_lists = [shared for shared in lists.shared if shared.members]
    if not shared_lists:
        raise AllFailedError(_no_sample_left(reasons))
    reference = max(shared_lists, key=lambda shared: len(shared.members))
    for shared in shared_lists:
        if shared is not reference:
            reasons |= _why_other_list(shared, reference)
    _require_genes(reference, gene_map)
    dropped = [
        Dropped(DropKind.SAMPLE, file.sample, STEP, reasons[file.sample])
        for file in files
        if file.sample in reasons
    ]
    return _summary(reference, dropped)


@dataclass(frozen=True, slots=True, eq=False)
class _Member:
    """What is kept of a file until all are read."""

    file: QuantFile
    abundance: npt.NDArray[np.float64]
    count_total: float
    tpm_total: float


class _SharedList:
    """A transcript list, its genes, and the files that have it."""

    def __init__(self, names: pa.StringArray, gene_map: GeneMap) -> None:
        self.names = names
        self.index = index_genes(names, *gene_map.columns())
        self.lengths = RunningGeneLength(self.index)
        self.members: deque[_Member] = deque()

    def add(self, file: QuantFile, quant: QuantSf) -> None:
        """Sum a file to genes and let go of its transcripts."""
        sums = sum_to_genes(self.index, quant.tpm, quant.num_reads, quant.effective_length)
        _require_abundance(self.index, sums, quant, file.label)
        self.lengths.add(sums.length, quant.effective_length)
        self.members.append(_Member(file, sums.abundance, sums.count_total, quant.tpm_total))


class _Lists:
    """The transcript lists that occur; each is compared with the expected one and indexed once."""

    def __init__(self, gene_map: GeneMap, expected: Sequence[str] | None) -> None:
        self.known: list[pa.StringArray] = []
        """Their names, for readers in other threads."""
        self.shared: list[_SharedList] = []
        self._gene_map = gene_map
        self._expected = list(expected) if expected is not None else None

    def add(self, file: QuantFile, quant: QuantSf) -> None:
        """Take a file. Called in the order of the files, so that sums do not depend on timing."""
        self._shared_list(quant.transcripts, file.label).add(file, quant)

    def _shared_list(self, names: pa.StringArray, label: str) -> _SharedList:
        for shared in self.shared:
            if shared.names is names or shared.names.equals(names):
                return shared
        if self._expected is not None:
            require_same_transcripts(self._expected, _text(names), label, reference="the transcriptome index")
        self.known.append(names)  # before the index is made, which takes longer than a file
        self.shared.append(_SharedList(names, self._gene_map))
        return self.shared[-1]


def _read_in_order(
    files: Sequence[QuantFile], known: Sequence[pa.StringArray], threads: int
) -> Iterator[tuple[QuantFile, Future[QuantSf]]]:
    """Yield the files with what became of reading them, in order, while others are being read."""
    waiting: deque[tuple[QuantFile, Future[QuantSf]]] = deque()
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="quant.sf") as pool:
        try:
            for file in files:
                waiting.append((file, pool.submit(read_quant_sf, file.path, file.label, known=known)))
                if len(waiting) >= threads + _READ_AHEAD:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            for _, future in waiting:
                future.cancel()


def _require_one_file_each(files: Sequence[QuantFile]) -> None:
    if not files:
        raise PermanentError("no quant.sf files to summarize")
    samples = Counter(file.sample for file in files)
    sample, count = samples.most_common(1)[0]
    if count > 1:
        raise PermanentError(f"sample {sample!r} has several quant.sf files; a sample has one column")


def _require_abundance(index: GeneIndex, sums: GeneSums, quant: QuantSf, label: str) -> None:
    """Refuse a sample that would become NaN. That no transcript has a gene is another matter."""
    if index.genes and not sums.abundance.any():
        raise PermanentError(
            f"{label}: none of the {int(index.mapped.sum()):,} transcripts that have a gene has any "
            f"abundance (TPM sum to {quant.tpm_total:,.0f} over all {len(quant.tpm):,} transcripts)"
        )


def _require_genes(reference: _SharedList, gene_map: GeneMap) -> None:
    if not reference.index.genes:
        transcripts = _text(reference.names)
        raise PermanentError(
            f"none of the {len(transcripts):,} transcripts of {reference.members[0].file.label} is in the "
            f"gene map. {explain_no_match(transcripts, gene_map)}"
        )


def _why_other_list(shared: _SharedList, reference: _SharedList) -> dict[str, str]:
    """Say for each file of one list how it differs from the reference list."""
    expected, found = _text(reference.names), _text(shared.names)
    others = len(reference.members) - 1
    whose = reference.members[0].file.label + (f" and {others:,} more" if others else "")
    reasons = {}
    for member in shared.members:
        try:
            require_same_transcripts(expected, found, member.file.label, reference=whose)
        except PermanentError as error:
            reasons[member.file.sample] = str(error)
    return reasons


def _summary(reference: _SharedList, dropped: Sequence[Dropped]) -> TranscriptSummary:
    members, index = reference.members, reference.index
    samples = [member.file.sample for member in members]
    warnings = [warning for member in members for warning in _warnings(member)]
    mean_length = reference.lengths.mean()
    values = np.empty((len(index.genes), len(members)), np.float64, order="F")
    for column in range(len(samples)):
        member = members.popleft()  # and let go of it, so that memory stays that of one matrix
        values[:, column] = length_scaled_tpm(member.abundance, mean_length, member.count_total)
    mapped = int(index.mapped.sum())
    return TranscriptSummary(
        genes=list(index.genes),
        samples=samples,
        values=values,
        dropped=tuple(dropped),
        n_transcripts=len(reference.names),
        n_mapped=mapped,
        unmapped=_without_gene(reference) if mapped < len(reference.names) else [],
        warnings=tuple(warnings),
    )


def _without_gene(shared: _SharedList) -> list[str]:
    has_gene = shared.index.mapped.tolist()
    return [name for name, mapped in zip(_text(shared.names), has_gene, strict=True) if not mapped]


def _warnings(member: _Member) -> list[SampleWarning]:
    if abs(member.tpm_total - TPM_TOTAL) <= TPM_TOLERANCE * TPM_TOTAL:
        return []
    text = (
        f"TPM of {member.file.label} sum to {member.tpm_total:,.0f}, not {TPM_TOTAL:,.0f}: "
        "the file may have been cut or filtered"
    )
    return [SampleWarning(member.file.sample, text)]


def _no_sample_left(reasons: dict[str, str]) -> str:
    listed = "\n".join(f"  - {sample}: {reason}" for sample, reason in reasons.items())
    return f"none of the {len(reasons):,} quant.sf files can be summarized:\n{listed}"


def _text(names: pa.StringArray) -> list[str]:
    return cast(list[str], names.to_pylist())
