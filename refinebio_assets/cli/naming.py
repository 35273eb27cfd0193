"""Which experiments the names on a command line mean: registered ones, or accessions of public archives."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.ended import say_refused
from refinebio_assets.cli.home import open_archives, open_lake
from refinebio_assets.errors import RefinebioError, RequestError
from refinebio_assets.pipelines.registry import registered_accessions
from refinebio_assets.sources.accessions import KINDS, Archive, Names, geo_twin, recognize


@dataclass(frozen=True, slots=True)
class Named:
    """What names on a command line mean.

    ``experiments`` gives for each experiment the accession by which it was asked for; ``unresolved`` for
    each name that its archive could not place how that ended (``failed`` or ``try again``).
    """

    experiments: Mapping[str, str]
    unresolved: Mapping[str, str]


def name_experiments(console: Console, names: Sequence[str]) -> Named:
    """Find out which experiments are meant.

    A sample's or run's accession stands for its experiment, a series' other name for the one that is here
    already. Raises RequestError naming every name that is neither registered nor an accession.
    """
    if not names:
        return Named({}, {})
    registered = set(registered_accessions(open_lake(new=True)))
    unknown = [name for name in names if name not in registered and recognize(name) is None]
    if unknown:
        hint = f"nor is it an accession of a public archive ({KINDS})"
        raise RequestError([f"experiment {name} is not registered, {hint}" for name in unknown])
    found: dict[str, str] = {}
    unresolved: dict[str, str] = {}
    for name in names:
        try:
            meant = [name] if name in registered else _resolve(name, {*registered, *found})
        except RefinebioError as error:
            unresolved[name] = say_refused(console, name, error)
            continue
        if meant != [name]:
            console.print(f"[bold]{escape(name)}[/]: processed as {', '.join(meant)}", highlight=False)
        for accession in meant:
            found.setdefault(accession, _asked(name, accession))
    return Named(found, unresolved)


def _resolve(name: str, registered: Collection[str]) -> list[str]:
    meant = open_archives().resolve(name)
    return [_known_name(accession, registered) for accession in meant]


def _asked(name: str, accession: str) -> str:
    """Return what to ask the archive for: SRA may know a run of a study whose list of runs it lacks."""
    kind = recognize(name)
    asks_by_part = kind is not None and kind.archive is Archive.SRA and kind.names is not Names.EXPERIMENT
    return kind.text if kind is not None and asks_by_part else accession


def _known_name(accession: str, registered: Collection[str]) -> str:
    """Return the name under which a series is here already, else the one given."""
    twin = geo_twin(accession)
    return twin if accession not in registered and twin in registered else accession
