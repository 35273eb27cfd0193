"""What all arrays of a platform share: their probes' sequences, in the forms in which the model needs them.

The model predicts a probe's log intensity from a row of ``1 + 3 L + 4`` numbers (L bases a probe)::

    nT | A_1..A_L | C_1..C_L | G_1..G_L | nA^2 nC^2 nG^2 nT^2

where A_j is 1 if base j is A, and nA counts the As; T, and any letter but A, C, G in upper case, has no
indicator. That matrix is never made. Predictions are sums of entries of small tables, one for each run of six
bases and one for the counts, so probes of the same sequence get the same value to the last bit. The normal
equations are sums of weights by pairs of three-base words. As a matrix product they took twice the
processor time, and 20 to 100 times where two arrays run at once, as BLAS's threads then wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.scan.settings import ScanSettings

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Letters = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.intp]

_BASES = b"ACG"
_RUN = 6
"""Bases of one table of predictions: 4^6 entries, 32 kB, stay in the fastest cache."""
_WORD = 3
"""Bases of a word of the normal equations: 64 x 64 sums a pair, the fastest for 10,000 probes."""
_CELLS = 4**_WORD
_LARGEST_PRODUCT = 250_000
"""Multiplications in a matrix product up to which OpenBLAS uses one thread."""
_OF_COUNTS = [0, -4, -3, -2, -1]
_OF_BASES = slice(1, -4)
"""Where the model's columns are: nT and the four squares; the indicators of A, C and G."""
_LARGEST_CONDITION = 1e13
"""Of the scaled normal equations; 1e5 is usual. Beyond, R's solve stops as well."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """Sums coefficients over the bases of each probe: ``X b`` without X.

    ``runs`` holds, for each run of bases, the code of each probe's letters. ``counts`` has a column for each
    composition that occurs, with nT, nA^2, nC^2, nG^2, nT^2; ``composition`` is each probe's column of it.
    """

    length: int
    runs: tuple[npt.NDArray[np.uint16], ...]
    counts: Matrix
    composition: npt.NDArray[np.int32]

    def take(self, rows: slice) -> Predictor:
        """Return the same for some of the probes."""
        runs = tuple(np.ascontiguousarray(run[rows]) for run in self.runs)
        return Predictor(self.length, runs, self.counts, np.ascontiguousarray(self.composition[rows]))

    def predict(self, coefficients: Vector) -> Vector:
        """Return the prediction for each probe (log2 intensity) from the model's coefficients."""
        of_base = np.zeros((self.length, 4))
        of_base[:, 1:] = coefficients[_OF_BASES].reshape(3, self.length).T
        of_counts = (self.counts * coefficients[_OF_COUNTS][:, np.newaxis]).sum(axis=0)
        predicted = np.take(of_counts, self.composition)
        for start, codes in zip(range(0, self.length, _RUN), self.runs, strict=True):
            table = np.zeros(1)
            for position in range(start, min(start + _RUN, self.length)):
                table = (table[:, np.newaxis] + of_base[position]).ravel()
            predicted += np.take(table, codes)
        return predicted


class NormalEquations:
    """Weighted least squares on the probes that the fit samples."""

    def __init__(self, codes: Letters, predictor: Predictor, count_base: int) -> None:
        self._length = predictor.length
        self._count_base = count_base
        padding = np.zeros((len(codes), -self._length % _WORD), np.uint8)
        padded = np.hstack((codes, padding))
        words = [_numbers(padded[:, at : at + _WORD]) for at in range(0, padded.shape[1], _WORD)]
        self._count = len(words)
        self._places = np.array(list(combinations(range(len(words)), 2)), np.intp).reshape(-1, 2).T
        self._pairs = [words[one] * _CELLS + words[other] for one, other in self._places.T]
        neighbors = [*zip(words[::2], words[1::2], strict=False)]
        self._neighbors = [one * _CELLS + other for one, other in neighbors]
        self._last = words[-1] if len(words) % 2 else None
        self._indicators = _indicators_of_words()
        self._composition = predictor.composition.astype(np.intp)
        self._distinct_counts = predictor.counts
        self._counts = np.take(predictor.counts, self._composition, axis=1)

    def solve(self, weights: Vector, values: Vector) -> Vector:
        """Return the coefficients that fit ``values``, one a probe, with these weights.

        Raises numpy's LinAlgError where no single answer exists.
        """
        return _solve(self.gram(weights), self.moments(weights * values))

    def moments(self, values: Vector) -> Vector:
        """Return ``X' v``: the sum of values for each column of the model."""
        moments = np.empty(3 * self._length + len(_OF_COUNTS))
        moments[_OF_BASES] = self._sums_by_base(values)
        moments[_OF_COUNTS] = (self._distinct_counts * self._sums_by_composition(values)).sum(axis=1)
        return moments

    def gram(self, weights: Vector) -> Matrix:
        """Return ``X' W X``: the weighted products of all pairs of the model's columns."""
        bases = self._products_of_bases(weights)
        # The first column, nT, is what the other bases leave of a constant: its products follow from theirs.
        squares = [self._sums_by_base(weights * column) for column in self._counts[1:]]
        across = np.array([self._count_base * np.diag(bases) - bases.sum(axis=0), *squares])
        weighted = self._distinct_counts * self._sums_by_composition(weights)
        columns = 3 * self._length + len(_OF_COUNTS)
        gram = np.empty((columns, columns))
        gram[_OF_BASES, _OF_BASES] = bases
        gram[_OF_COUNTS, _OF_BASES] = across
        gram[_OF_BASES, _OF_COUNTS] = across.T
        gram[np.ix_(_OF_COUNTS, _OF_COUNTS)] = (weighted[:, np.newaxis] * self._distinct_counts).sum(axis=2)
        return gram

    def _sums_by_composition(self, values: Vector) -> Vector:
        return _sums(self._composition, values, self._distinct_counts.shape[1])

    def _sums_by_word(self, values: Vector) -> Matrix:
        """Sum values by the code of each word: of two neighbors at once, then of each of the two."""
        sums = np.empty((self._count, _CELLS))
        if self._neighbors:
            tables = np.array([_sums(codes, values, _CELLS**2) for codes in self._neighbors])
            tables = tables.reshape(-1, _CELLS, _CELLS)
            tables.sum(axis=2, out=sums[: 2 * len(tables) : 2])
            tables.sum(axis=1, out=sums[1 : 2 * len(tables) : 2])
        if self._last is not None:
            sums[-1] = _sums(self._last, values, _CELLS)
        return sums

    def _sums_within(self, tables: npt.NDArray[np.float64], weights: Vector) -> Matrix:
        """Sum weights by the code of each word; the tables of its pairs with the first word have the sums."""
        if not len(tables):
            return self._sums_by_word(weights)
        with_first = tables[: self._count - 1]
        return np.vstack([with_first[0].sum(axis=1), with_first.sum(axis=1)])

    def _sums_by_base(self, values: Vector) -> Vector:
        """Sum values where base j is A, C or G: first all positions of A."""
        by_word = self._sums_by_word(values) @ self._indicators
        by_letter = by_word.reshape(-1, 3, _WORD).transpose(1, 0, 2).reshape(3, -1)
        return by_letter[:, : self._length].ravel()

    def _products_of_bases(self, weights: Vector) -> Matrix:
        words, (one, other) = self._count, self._places
        blocks = np.empty((words, words, 3 * _WORD, 3 * _WORD))
        tables = np.empty((len(self._pairs), _CELLS, _CELLS))
        for table, codes in zip(tables, self._pairs, strict=True):
            table[:] = _sums(codes, weights, _CELLS**2).reshape(_CELLS, _CELLS)
        within = self._sums_within(tables, weights)
        itself = np.arange(words)
        blocks[itself, itself] = self._indicators.T @ (within[:, :, np.newaxis] * self._indicators)
        across = self._indicators.T @ tables @ self._indicators
        blocks[one, other] = across
        blocks[other, one] = across.transpose(0, 2, 1)
        by_letter = blocks.reshape(words, words, 3, _WORD, 3, _WORD).transpose(2, 0, 3, 4, 1, 5)
        products = by_letter.reshape(3, words * _WORD, 3, words * _WORD)
        bases = 3 * self._length
        return products[:, : self._length, :, : self._length].reshape(bases, bases)


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """The probes of a platform, prepared: see ``prepare_design``. Safe to share between threads."""

    settings: ScanSettings
    probes: int
    predictor: Predictor
    sample: slice
    sample_predictor: Predictor
    equations: NormalEquations


def letters_of(sequences: pa.StringArray, length: int) -> Letters:
    """Return sequences as a matrix of ASCII codes, probes x ``length``.

    Raises PermanentError, naming the first row, where a sequence is missing or has another length.
    """
    if sequences.null_count:
        raise PermanentError(f"{sequences.null_count:,} of {len(sequences):,} probes have no sequence")
    count = len(sequences)
    offsets = np.frombuffer(memoryview(_buffer(sequences, 1)), np.int32, count + 1, 4 * sequences.offset)
    wrong = np.flatnonzero(np.diff(offsets) != length)
    if len(wrong):
        row = int(wrong[0])
        raise PermanentError(
            f"SCAN needs probes of {length} bases; {len(wrong):,} of {count:,} differ,"
            f" the first in row {row + 1:,}: {sequences[row].as_py()!r}"
        )
    text = np.frombuffer(memoryview(_buffer(sequences, 2)), np.uint8, count * length, int(offsets[0]))
    return text.reshape(-1, length)


def prepare_design(letters: Letters, settings: ScanSettings) -> Design:
    """Prepare a platform's probes for fits and predictions; done once for all its arrays.

    ``letters`` is probes x bases, ASCII codes of upper-case letters, 5' to 3'. The order of probes is part
    of the result, as the fit samples every k-th: for Affymetrix by cell (y times columns plus x), and for
    cells of several probe sets by set; a cell is listed once for each set. For Illumina in file order.

    Raises PermanentError where the probes are of another length, fewer than one block, or too much alike.
    """
    probes, length = letters.shape
    if length != settings.probe_length:
        raise PermanentError(f"SCAN needs probes of {settings.probe_length} bases, not {length}")
    if probes < settings.block:
        raise PermanentError(f"SCAN needs at least {settings.block:,} probes; there are {probes:,}")
    codes = _letter_codes(letters)
    predictor = _prepare_predictor(codes, settings.count_base)
    sample = slice(0, None, max(1, probes // settings.sample_goal))
    sample_predictor = predictor.take(sample)
    equations = NormalEquations(codes[sample], sample_predictor, settings.count_base)
    _check_condition(equations.gram(np.ones(len(sample_predictor.composition))))
    return Design(settings, probes, predictor, sample, sample_predictor, equations)


def _buffer(sequences: pa.StringArray, number: int) -> pa.Buffer:
    if not pa.types.is_string(sequences.type):
        raise TypeError(f"sequences are an Arrow array of {sequences.type}, not of string")
    buffer = sequences.buffers()[number]
    return buffer if buffer is not None else pa.py_buffer(b"\0\0\0\0")


def _letter_codes(letters: Letters) -> Letters:
    """Return 1, 2, 3 for A, C, G, and 0 for T and all else."""
    codes = np.zeros(256, np.uint8)
    codes[list(_BASES)] = (1, 2, 3)
    return np.take(codes, letters)


def _prepare_predictor(codes: Letters, count_base: int) -> Predictor:
    length = codes.shape[1]
    runs = tuple(_numbers(codes[:, at : at + _RUN]).astype(np.uint16) for at in range(0, length, _RUN))
    composition = np.zeros(len(codes), np.int32)
    for base in (1, 2, 3):
        composition *= length + 1
        composition += np.count_nonzero(codes == base, axis=1).astype(np.int32)
    occurs = np.bincount(composition, minlength=(length + 1) ** 3) > 0
    column = np.cumsum(occurs, dtype=np.int32) - 1
    counts = _count_columns(np.flatnonzero(occurs), length, count_base)
    return Predictor(length, runs, counts, np.take(column, composition))


def _numbers(codes: Letters) -> Indices:
    """Read each row's letters as one number to base 4, the first letter foremost."""
    numbers = np.zeros(len(codes), np.intp)
    for column in codes.T:
        numbers *= 4
        numbers += column
    return numbers


def _count_columns(composition: Indices, length: int, count_base: int) -> Matrix:
    """Return nT, nA^2, nC^2, nG^2, nT^2 (rows) for counts that are coded in one number."""
    side = length + 1
    a, c, g = composition // side**2, composition // side % side, composition % side
    t = count_base - (a + c + g)
    return np.array((t, a**2, c**2, g**2, t**2), dtype=np.float64)


def _sums(groups: Indices, values: Vector, count: int) -> Vector:
    return np.bincount(groups, values, count).astype(np.float64, copy=False)


def _indicators_of_words() -> Matrix:
    """Return, for each three-base word, whether its base j is A, C or G: words x (letter, base)."""
    letters = np.arange(_CELLS)[:, np.newaxis] // 4 ** np.arange(_WORD - 1, -1, -1) % 4
    return np.hstack([letters == base for base in (1, 2, 3)]).astype(np.float64)


def _solve(matrix: Matrix, values: Vector) -> Vector:
    """Solve a positive definite system by elimination of a few columns at a time.

    ``np.linalg.solve`` takes several threads from 100 columns on, which then wait for each other: with
    155 columns and two arrays at once it took 80 ms. The steps here are small enough for one thread.
    """
    size = len(matrix)
    work = np.column_stack((matrix, values))
    steps: list[tuple[int, int]] = []
    start = 0
    while start < size:
        # The fewer columns are left, the more of them make a product of the same size.
        end = min(start + max(1, _LARGEST_PRODUCT // (size - start) ** 2), size)
        work[start:end, end:] = np.linalg.solve(work[start:end, start:end], work[start:end, end:])
        work[end:, end:] -= work[end:, start:end] @ work[start:end, end:]
        steps.append((start, end))
        start = end
    solution = work[:, size]
    for start, end in reversed(steps):
        solution[start:end] -= work[start:end, end:size] @ solution[end:]
    return solution


def _check_condition(gram: Matrix) -> None:
    size = np.sqrt(np.diag(gram))
    if not size.all() or np.linalg.cond(gram / np.outer(size, size)) > _LARGEST_CONDITION:
        raise PermanentError(
            "the probes' sequences are too much alike to fit SCAN's model:"
            " at some position, or in all counts, they do not vary enough"
        )
