"""Judges a dataset's ``data`` in the words and the order that existing clients know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refinebio_assets.api.holdings.holdings import Holdings
from refinebio_assets.api.problems import ApiProblemError, Invalid, bad_request
from refinebio_assets.api.state.datasets import Options

Data = dict[str, list[str]]
ALL = ["ALL"]
_LISTS = "`data` must be a dict of lists."
_FILLED = "`data` must be a dict of lists, each with one or more elements."
_DETAILS = "See `details` for a full list"
_NOTHING = f"Experiment(s) in dataset have zero downloadable samples. {_DETAILS}"
_UNKNOWN = f"Sample(s) in dataset do not exist on refine.bio. {_DETAILS}"
_NO_QUANT_SF = f"Sample(s) in dataset are missing quant.sf files. {_DETAILS}"
_NOT_PROCESSED = f"Non-downloadable sample(s) in dataset. {_DETAILS}"


@dataclass(frozen=True, slots=True)
class _Known:
    """What a dataset can take: samples of whole experiments, and those that were listed."""

    whole: Mapping[str, list[str]]
    listed: Mapping[str, bool]


def sound_data(holdings: Holdings, value: Any, options: Options, *, start: bool) -> Data:
    """Return a dataset's data with ``["ALL"]`` replaced by samples. Raises ApiProblemError (invalid_data)."""
    data = _in_form(value, start=start)
    known = _known(holdings, data, options)
    empty = [name for name, samples in known.whole.items() if not samples]
    if empty:
        raise invalid_data(_NOTHING, empty)
    named = list(dict.fromkeys(sample for samples in data.values() if samples != ALL for sample in samples))
    unknown = [sample for sample in named if sample not in known.listed]
    if unknown:
        raise invalid_data(_UNKNOWN, unknown)
    useless = [sample for sample in named if not known.listed[sample]]
    if useless:
        raise invalid_data(_NO_QUANT_SF if options.quant_sf_only else _NOT_PROCESSED, useless)
    return {name: known.whole.get(name, samples) for name, samples in data.items()}


def invalid_data(message: str, details: list[str] | None = None) -> ApiProblemError:
    """Return the answer to data that no dataset can be made of."""
    return bad_request(Invalid("invalid_data", message, details))


def _in_form(value: Any, *, start: bool) -> Data:
    """Return data as experiments with lists of texts, each once. Raises ApiProblemError."""
    if not isinstance(value, dict):
        raise invalid_data(_LISTS)
    if start and not value:
        raise invalid_data("`data` must contain at least one experiment.")
    for name, samples in value.items():
        if not isinstance(samples, list) or not all(isinstance(sample, str) for sample in samples):
            raise invalid_data(f"{_LISTS} Problem with `{name}`")
        if not samples:
            raise invalid_data(f"{_FILLED} Problem with `{name}`")
        if len(set(samples)) < len(samples):
            raise invalid_data(f"Duplicate values detected in {samples}"[:2000])
    return dict(value)


def _known(holdings: Holdings, data: Data, options: Options) -> _Known:
    whole = [name for name, samples in data.items() if samples == ALL]
    named = [sample for samples in data.values() if samples != ALL for sample in samples]
    usable = "has_quant_sf" if options.quant_sf_only else "is_processed"
    rows = holdings.rows(
        f"SELECT accession_code, {usable} AS usable FROM samples WHERE accession_code IN (SELECT unnest(?))",
        [named],
    )
    listed = {row["accession_code"]: row["usable"] for row in rows}
    return _Known(_members(holdings, whole, options), listed)


def _members(holdings: Holdings, experiments: Sequence[str], options: Options) -> dict[str, list[str]]:
    """Return the samples that each of these experiments gives as a whole.

    Where nothing is normalized no target is needed, so that every processed sample is given.
    """
    condition = "is_downloadable" if options.quantile_normalize else "is_processed"
    if options.quant_sf_only:
        condition = "has_quant_sf"
    rows = holdings.rows(
        f"""SELECT experiment, accession_code FROM members
            WHERE experiment IN (SELECT unnest(?)) AND {condition} ORDER BY ALL""",
        [list(experiments)],
    )
    found: dict[str, list[str]] = {name: [] for name in experiments}
    for row in rows:
        found[row["experiment"]].append(row["accession_code"])
    return found


def all_samples(data: Mapping[str, Iterable[str]]) -> list[str]:
    """Return every sample of a dataset once."""
    return list(dict.fromkeys(sample for samples in data.values() for sample in samples))
