"""Makes ``transcriptome_index``: an organism's Salmon indices (k = 31 and k = 23) and its gene map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinebio_assets.domain import DropKind, Dropped
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.fasta import read_fasta
from refinebio_assets.formats.gene_map import GeneMap, explain_no_match, read_gene_map, write_gene_map
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake
from refinebio_assets.pipelines.fetch_file import WebSource, no_web
from refinebio_assets.pipelines.freshness import Basis, content_hash
from refinebio_assets.pipelines.outcome import Outcome, Situation, dropped_rows
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.references.files import (
    Files,
    assess_reference,
    fetch_source,
    source_rows,
)
from refinebio_assets.pipelines.references.transcriptome_registry import (
    TRANSCRIPTOME_REGISTRATION,
    TranscriptomeInputs,
    registered_transcriptome,
)
from refinebio_assets.pipelines.references.transcripts import extract_transcripts
from refinebio_assets.pipelines.workers import available_cores
from refinebio_assets.tools.salmon import LONG_KMER, SHORT_KMER, SalmonIndex, build_index, salmon_version

ASSET = "transcriptome_index"
CODE_VERSION = "1"
KMERS = (LONG_KMER, SHORT_KMER)
GENE_MAP_FILE = "genes_to_transcripts.txt"
TRANSCRIPTS_FILE = "transcripts.txt"
EXTRACTED_FILE = "extracted.fa"
NO_GENE = "no gene in the gene map: quantified, but counted for no gene"


@dataclass(frozen=True, slots=True)
class Transcriptome:
    """What a commit of ``transcriptome_index`` offers to those who quantify and summarize."""

    organism: str
    version: str
    commit: Commit

    @property
    def index_version(self) -> str:
        """Hash of what Salmon sees: sequences, names and its own version, but not the gene map."""
        return str(self.commit.info.get("index version", self.version))

    def index_folder(self, lake: Lake, kmer: int) -> Path:
        """Return the folder of the Salmon index with this k-mer length."""
        return lake.local_folder(self.commit, f"k{kmer}")

    def gene_map(self, lake: Lake) -> GeneMap:
        """Return the gene map of the index."""
        return read_gene_map(lake.local(self.commit.file(GENE_MAP_FILE)))

    def transcripts(self, lake: Lake) -> list[str]:
        """Return the indexed transcripts in index order, the order of every quant.sf made with it."""
        return lake.local(self.commit.file(TRANSCRIPTS_FILE)).read_text(encoding="utf-8").split("\n")[:-1]


def find_transcriptome(lake: Lake, organism: str) -> Transcriptome | None:
    """Return the organism's newest index, or None."""
    head = lake.head(ASSET, organism)
    return Transcriptome(organism, head.version, head) if head else None


def assess_transcriptome(lake: Lake, organism: str, web: WebSource = no_web) -> Situation:
    """Return how an organism's index stands against its registered files, Salmon and the code."""
    inputs, registration = registered_transcriptome(lake, organism)
    basis = {
        "code version": CODE_VERSION,
        "salmon version": salmon_version(),
        "registration": registration,
    }
    return assess_reference(lake, ASSET, organism, basis=basis, locations=inputs.locations(), web=web)


def build_transcriptome_index(
    lake: Lake,
    organism: str,
    *,
    web: WebSource = no_web,
    cores: int | None = None,
    progress: Progress = SILENT,
    run_id: str = "",
) -> Outcome:
    """Build both indices of a registered organism, or return the commit that is already right.

    Both indices list the same transcripts, so that samples quantified with either can be summarized
    together. Transcripts that Salmon leaves out or cannot count, and those without a gene, are listed as
    dropped.
    """
    situation = assess_transcriptome(lake, organism, web)
    if situation.current is not None:
        return Outcome(situation.current, changed=False)
    inputs, registration = registered_transcriptome(lake, organism)
    progress.start("build index", 2 + len(KMERS), "stages")
    files = {role: fetch_source(lake, location, web) for role, location in inputs.locations().items()}
    progress.advance("build index", "inputs read")
    with lake.draft(ASSET, organism) as draft:
        prepared = _prepare(lake, draft.folder, files)
        progress.advance("build index", f"{len(prepared.transcripts):,} transcripts")
        indices = [
            _index(draft, prepared.fasta, kmer, cores or available_cores(), progress) for kmer in KMERS
        ]
        (draft.folder / EXTRACTED_FILE).unlink(missing_ok=True)
        built = _Built(inputs, registration, files, prepared, tuple(indices), situation.basis)
        commit = _commit(draft, built, run_id)
    return Outcome(commit, True, situation.reasons, built.dropped)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Transcripts ready to index: a FASTA file, their names in its order, and their genes."""

    fasta: Path
    transcripts: tuple[str, ...]
    gene_map: GeneMap
    mapped: int
    genes: int
    dropped: tuple[Dropped, ...]
    pseudogene_lines: int | None = None


def _prepare(lake: Lake, folder: Path, files: Files) -> _Prepared:
    """Return the transcripts as given, or extracted from the genome into ``folder``, with their genes."""
    local = {role: lake.local(file.stored) for role, file in files.items()}
    labels = {role: file.origin.location for role, file in files.items()}
    if "genome" in local:
        fasta = folder / EXTRACTED_FILE
        extracted = extract_transcripts(
            local["genome"], local["gtf"], fasta, genome_label=labels["genome"], gtf_label=labels["gtf"]
        )
        gene_map, dropped, label = extracted.gene_map, extracted.dropped, labels["gtf"]
        left_out: int | None = extracted.pseudogene_lines
    else:
        fasta, dropped, label, left_out = local["transcripts"], (), labels["transcripts"], None
        gene_map = read_gene_map(local["gene_map"], label=labels["gene_map"])
    names = tuple(record.name for record in read_fasta(fasta, label=label))
    gene_of = gene_map.gene_of()
    unmapped = [name for name in names if name not in gene_of]
    if len(unmapped) == len(names):
        raise PermanentError(
            f"none of the {len(names):,} transcripts has a gene in the gene map. "
            f"{explain_no_match(names, gene_map)}"
        )
    return _Prepared(
        fasta,
        names,
        gene_map,
        mapped=len(names) - len(unmapped),
        genes=len({gene_of[name] for name in names if name in gene_of}),
        dropped=(*dropped, *(_drop(name, NO_GENE) for name in unmapped)),
        pseudogene_lines=left_out,
    )


def _drop(transcript: str, reason: str) -> Dropped:
    return Dropped(DropKind.TRANSCRIPT, transcript, ASSET, reason)


@dataclass(frozen=True, slots=True)
class _Built:
    """Everything about an index that is about to be committed."""

    inputs: TranscriptomeInputs
    registration: str
    files: Files
    prepared: _Prepared
    indices: tuple[SalmonIndex, ...]
    basis: Basis

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """What is in no index, and what has no gene."""
        index = max(self.indices, key=lambda index: index.kmer)
        return (
            *self.prepared.dropped,
            *(
                _drop(name, f"same sequence as {kept}, which stands for both")
                for name, kept in index.duplicates
            ),
            *(_drop(name, "nothing is left without its poly-A tail") for name in index.clipped_away),
            *(
                _drop(name, f"shorter than k = {index.kmer}: not counted for reads of the long index")
                for name in index.too_short
            ),
        )

    @property
    def indexed(self) -> list[str]:
        """The rows of every quant.sf made with these indices, in order."""
        index = self.indices[0]
        removed = {name for name, _ in index.duplicates} | set(index.clipped_away)
        names = [name for name in self.prepared.transcripts if name not in removed]
        if any(each.transcripts != len(names) for each in self.indices):
            counts = ", ".join(f"{each.transcripts:,} (k = {each.kmer})" for each in self.indices)
            raise PermanentError(
                f"{len(names):,} transcripts were to be indexed, but the indices hold {counts}"
            )
        return names

    @property
    def index_version(self) -> str:
        """Hash of sequences, names and Salmon's version."""
        hashes = [[index.kmer, index.sequence_hash, index.name_hash] for index in self.indices]
        return content_hash([hashes, self.basis["salmon version"]])

    @property
    def version(self) -> str:
        """Hash of the indices and the gene map."""
        gene_map = self.prepared.gene_map
        return content_hash([self.index_version, list(gene_map.genes), list(gene_map.transcripts)])


def _index(draft: Draft, fasta: Path, kmer: int, cores: int, progress: Progress) -> SalmonIndex:
    index = build_index(fasta, draft.folder / f"k{kmer}", kmer=kmer, threads=cores)
    progress.advance("build index", f"k = {kmer} in {index.duration_seconds:.0f} s")
    return index


def _commit(draft: Draft, built: _Built, run_id: str) -> Commit:
    inputs = built.inputs
    write_gene_map(draft.folder / GENE_MAP_FILE, built.prepared.gene_map)
    names = "".join(f"{name}\n" for name in built.indexed)
    (draft.folder / TRANSCRIPTS_FILE).write_text(names, encoding="utf-8")
    draft.write_table("transcriptomes", [_transcriptome_row(built)])
    draft.write_table("sources", source_rows({"organism": inputs.organism}, built.files))
    draft.write_table("dropped", dropped_rows(built.dropped))
    for file in built.files.values():
        draft.attach(file.stored)
    return draft.commit(
        version=built.version,
        code_version=CODE_VERSION,
        inputs=[InputRef(TRANSCRIPTOME_REGISTRATION, inputs.organism, built.registration)],
        info={
            "basis": built.basis,
            "index version": built.index_version,
            "commands": [index.command for index in built.indices],
        },
        run_id=run_id,
    )


def _transcriptome_row(built: _Built) -> dict[str, Any]:
    inputs = built.inputs
    return {
        "organism": inputs.organism,
        "version": built.version,
        "division": inputs.division,
        "release": inputs.release,
        "assembly": inputs.assembly,
        "source": inputs.source or "local files",
        "transcripts": len(built.prepared.transcripts),
        "genes": built.prepared.genes,
        "mapped_transcripts": built.prepared.mapped,
        "pseudogene_lines": built.prepared.pseudogene_lines,
        "salmon_version": built.basis["salmon version"],
        "short_kmer": SHORT_KMER,
        "long_kmer": LONG_KMER,
    }
