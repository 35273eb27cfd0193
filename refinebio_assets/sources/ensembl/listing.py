"""What Ensembl's REST service lists: the genomes of a division, and its current release."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refinebio_assets.errors import FormatError, TransientError
from refinebio_assets.sources.ensembl.divisions import Division
from refinebio_assets.sources.web.client import Web

_AS_JSON = {"content-type": "application/json"}
_OTHER_NAMES = ("scientific_name", "display_name", "common_name")
_TAXONOMY_IDS = ("taxon_id", "species_taxonomy_id", "taxonomy_id")
_NAMES_SUGGESTED = 5
_ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class Species:
    """One genome as a division lists it.

    ``name`` is Ensembl's (``canis_lupus_familiaris``). ``assembly`` is as listed, blanks kept;
    ``default_assembly`` another name of it, which files of some plants bear. ``taxonomy_id`` is NCBI's of
    the species where one is told, else of the strain; None when neither is. Unknown texts are empty.
    ``other_names`` are names for people and aliases.
    """

    name: str
    assembly: str
    default_assembly: str = ""
    taxonomy_id: int | None = None
    other_names: tuple[str, ...] = ()


def ensembl_name(organism: str) -> str:
    """Return an organism's name as Ensembl writes it: ``Danio rerio`` -> ``danio_rerio``."""
    return "_".join(organism.replace("_", " ").lower().split())


def list_species(web: Web, division: Division) -> tuple[Species, ...]:
    """Return all genomes of a division, in Ensembl's order.

    Raises FormatError for an answer that is no list of named genomes, TransientError for an empty one
    (no division is empty), and what ``web`` raises.
    """
    url = division.species_url
    listed = web.json(url, params=_AS_JSON)
    if division.is_main:
        listed = _member(listed, "species", url)
    if not isinstance(listed, list):
        raise FormatError(url, expected="a list of genomes", found=f"a {type(listed).__name__}")
    if not listed:
        raise TransientError(f"{url} lists no genome at all; no division is empty, so try again later")
    return tuple(_species(entry, division, f"{url}, genome {i}") for i, entry in enumerate(listed, start=1))


def current_release(web: Web, division: Division) -> int:
    """Return a division's current release; FormatError when the answer does not tell it."""
    url = division.release_url
    release = _member(web.json(url, params=_AS_JSON), "release" if division.is_main else "version", url)
    try:
        return int(release)
    except (TypeError, ValueError) as error:
        raise FormatError(url, expected="a release's number", found=repr(release)) from error


def near_names(organism: str, listed: Sequence[Species]) -> list[str]:
    """Return up to five genomes that may be meant by a name that no genome has, likeliest first.

    Those with an alias of this name, then its strains, then names spelled alike.
    """
    name = ensembl_name(organism)
    aliased = [species.name for species in listed if name in map(ensembl_name, species.other_names)]
    strains = [species.name for species in listed if species.name.startswith(f"{name}_")]
    alike = difflib.get_close_matches(name, [species.name for species in listed], _NAMES_SUGGESTED, _ALIKE)
    return list(dict.fromkeys([*aliased, *strains, *alike]))[:_NAMES_SUGGESTED]


def _species(entry: Any, division: Division, where: str) -> Species:
    name = _member(entry, "name", where)
    if not isinstance(name, str) or not name:
        raise FormatError(where, expected="a name", found=repr(name))
    aliases = entry.get("aliases")
    others = [entry.get(key) for key in _OTHER_NAMES] + (aliases if isinstance(aliases, list) else [])
    return Species(
        name=name,
        assembly=_text(entry, "assembly" if division.is_main else "assembly_name"),
        default_assembly=_text(entry, "assembly_default"),
        taxonomy_id=_taxonomy_id(entry, where),
        other_names=tuple(dict.fromkeys(str(other) for other in others if other)),
    )


def _taxonomy_id(entry: Mapping[str, Any], where: str) -> int | None:
    told = next(
        (entry[key] for key in ("taxon_id", "species_taxonomy_id", "taxonomy_id") if entry.get(key)), ""
    )
    if told == "":
        return None
    try:
        return int(told)
    except (TypeError, ValueError) as error:
        raise FormatError(where, expected="a taxonomy id", found=repr(told)) from error


def _text(entry: Mapping[str, Any], key: str) -> str:
    return str(entry.get(key) or "").strip()


def _member(answer: Any, key: str, where: str) -> Any:
    if not isinstance(answer, dict) or key not in answer:
        raise FormatError(where, expected=f"an object with {key!r}", found=f"{str(answer)[:60]!r}")
    return answer[key]
