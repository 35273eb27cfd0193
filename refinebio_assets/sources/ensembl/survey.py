"""Surveys Ensembl: finds genome and GTF of an organism, or of all genomes of a division.

Every URL that is handed out was asked for and answered; a genome without such URLs is skipped and
reported with all that was tried.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from refinebio_assets.domain import distinct, organism_name
from refinebio_assets.errors import NotFoundError
from refinebio_assets.platforms.strains import Strain, find_strain
from refinebio_assets.sources.ensembl.divisions import Division, find_division
from refinebio_assets.sources.ensembl.listing import (
    Species,
    current_release,
    ensembl_name,
    list_species,
    near_names,
)
from refinebio_assets.sources.ensembl.species_table import Folder, find_folder
from refinebio_assets.sources.web.client import RemoteFile, Web
from refinebio_assets.sources.web.mirror import NotMirroredError

# Chromosomes without alternative haplotypes, where Ensembl distinguishes them; else all there is.
_SEQUENCES = ("primary_assembly", "toplevel")


@dataclass(frozen=True, slots=True)
class EnsemblGenome:
    """A genome whose files were seen.

    ``organism`` is the species' name as samples have it (``CANIS_LUPUS_FAMILIARIS``), also for a strain
    that stands for a species; ``directory`` is Ensembl's name of the genome, in which it is stored.
    ``assembly`` is the name in the files' names, without a closing ``_``. ``taxonomy_id`` is NCBI's of the
    species. Sizes are in bytes, None when the server did not tell.
    """

    organism: str
    division: Division
    release: int
    assembly: str
    directory: str
    taxonomy_id: int | None
    genome_url: str
    gtf_url: str
    genome_size: int | None = None
    gtf_size: int | None = None


@dataclass(frozen=True, slots=True)
class SkippedGenome:
    """What was looked for in a division and cannot be used, why, and the URLs that gave no file."""

    division: Division
    name: str
    reason: str
    tried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnsemblSurvey:
    """What a survey found, and what it could not use."""

    found: tuple[EnsemblGenome, ...]
    skipped: tuple[SkippedGenome, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A genome to look for: the species as listed, and the strain it is when it stands for a species."""

    species: Species
    strain: Strain | None = None


def survey_ensembl(
    web: Web, division: str, organism: str | None = None, release: int | None = None
) -> EnsemblSurvey:
    """Find genome and GTF of one organism, or (None) of all genomes of a division.

    The name is matched whole, without case, blanks as ``_``; the first genome of that name is taken. In
    Fungi and Bacteria only the strains of ``platforms.strains`` are looked for, so nothing without an
    organism. ``release`` None is the current one; of another release only genomes that are listed today
    are found. What cannot be used, an unknown name included, is in ``skipped``.

    Raises RequestError for an unknown division, FormatError for answers that are not Ensembl's, and what
    ``web`` raises when a server fails: then nothing is known of any genome.
    """
    place = find_division(division)
    wanted, skipped = _choose(web, place, organism)
    if not wanted:
        return EnsemblSurvey((), tuple(skipped))
    files = _Files(web, place, release)
    results = [files.find(genome) for genome in wanted]
    return EnsemblSurvey(
        found=tuple(result for result in results if isinstance(result, EnsemblGenome)),
        skipped=(*skipped, *(result for result in results if isinstance(result, SkippedGenome))),
    )


def _choose(web: Web, division: Division, organism: str | None) -> tuple[list[_Wanted], list[SkippedGenome]]:
    """Return the genomes to look for, and why there are none for the organism."""
    if division.holds_strains:
        return _choose_strain(web, division, organism)
    listed = list_species(web, division)
    if organism is None:
        return [_Wanted(species) for species in listed], []
    name = ensembl_name(organism)
    for species in listed:
        if species.name == name:
            return [_Wanted(species)], []
    near = near_names(organism, listed)
    reason = f"none of its {len(listed):,} genomes is called {name}"
    reason += f"; did you mean {', '.join(near)}?" if near else ""
    return [], [SkippedGenome(division, organism, reason)]


def _choose_strain(
    web: Web, division: Division, organism: str | None
) -> tuple[list[_Wanted], list[SkippedGenome]]:
    """Return the genome of the strain that stands for an organism; nothing is asked when there is none."""
    strain = find_strain(organism) if organism else None
    if strain is None:
        reason = "it has many strains of a species, and only those that are chosen to stand for one are used"
        return [], [SkippedGenome(division, organism or division, reason)]
    if strain.division != division:
        reason = f"the strain that stands for it, {strain.strain}, is in {strain.division}"
        return [], [SkippedGenome(division, strain.organism, reason)]
    matching = [species for species in list_species(web, division) if species.assembly == strain.assembly]
    if len(matching) == 1:
        return [_Wanted(matching[0], strain)], []
    names = ", ".join(species.name for species in matching) or "none"
    reason = f"one genome must have the assembly {strain.assembly} of strain {strain.strain}, but {names} has"
    return [], [SkippedGenome(division, strain.organism, reason)]


class _Files:
    """Finds the files of a division's genomes in one release."""

    def __init__(self, web: Web, division: Division, release: int | None) -> None:
        self._web = web
        self._division = division
        self._asked_release = release
        self._unanswered: set[str] = set()
        self._release = current_release(web, division) if release is None else release

    def find(self, wanted: _Wanted) -> EnsemblGenome | SkippedGenome:
        """Return the genome with its checked files, or why it cannot be used."""
        species = wanted.species
        if not species.assembly:
            return SkippedGenome(self._division, species.name, "Ensembl names no assembly of it")
        folder = self._folder(species)
        if folder is None:
            table = self._division.species_table_url(self._asked_release)
            return SkippedGenome(
                self._division, species.name, f"its assembly {species.assembly} is not in {table}"
            )
        tried: list[str] = []
        for assembly in self._assemblies(species):
            genome = self._first(self._genome_urls(folder, assembly), tried)
            gtf = self._first(self._gtf_urls(folder, assembly), tried) if genome else None
            if genome and gtf:
                return self._genome(wanted, folder, assembly, genome, gtf)
        return SkippedGenome(self._division, species.name, self._why_none(tried), tuple(tried))

    def _genome(
        self, wanted: _Wanted, folder: Folder, assembly: str, genome: RemoteFile, gtf: RemoteFile
    ) -> EnsemblGenome:
        strain = wanted.strain
        return EnsemblGenome(
            organism=strain.organism if strain else organism_name(wanted.species.name),
            division=self._division,
            release=self._release,
            assembly=assembly,
            directory=folder.name,
            taxonomy_id=strain.taxonomy_id if strain else wanted.species.taxonomy_id,
            genome_url=genome.url,
            gtf_url=gtf.url,
            genome_size=genome.size,
            gtf_size=gtf.size,
        )

    def _why_none(self, tried: list[str]) -> str:
        unanswered = sum(url in self._unanswered for url in tried)
        if unanswered:
            return (
                f"whether release {self._release} has it is not known: the mirror has no answer for"
                f" {unanswered:,} of {len(tried):,} addresses"
            )
        return f"release {self._release} has no genome with a GTF at any address it could have"

    def _folder(self, species: Species) -> Folder | None:
        if not self._division.holds_strains:
            return Folder(species.name)
        return find_folder(self._web, self._division, species.assembly, species.name, self._asked_release)

    def _assemblies(self, species: Species) -> list[str]:
        """The names that an assembly may have in file names, likeliest first.

        Wheat cultivars are listed as ``PGSBv2.0_Mace`` and filed as their default, ``PGSBv2.1``.
        """
        names = [species.assembly, species.default_assembly]
        return distinct(name.replace(" ", "_") for name in names if name)

    def _genome_urls(self, folder: Folder, assembly: str) -> list[str]:
        base = f"{self._division.files_url(self._release)}/fasta/{folder.path}/dna/{folder.name.capitalize()}"
        return [
            f"{base}.{spelling}.dna.{sequences}.fa.gz"
            for spelling in _spellings(assembly)
            for sequences in _SEQUENCES
        ]

    def _gtf_urls(self, folder: Folder, assembly: str) -> list[str]:
        base = f"{self._division.files_url(self._release)}/gtf/{folder.path}/{folder.name.capitalize()}"
        return [f"{base}.{spelling}.{self._release}.gtf.gz" for spelling in _spellings(assembly)]

    def _first(self, urls: Iterable[str], tried: list[str]) -> RemoteFile | None:
        """Return the first that exists and is not empty, or None; those that do not go to ``tried``."""
        for url in urls:
            try:
                file = self._web.head(url)
            except NotFoundError as error:
                tried.append(url)
                if isinstance(error, NotMirroredError):
                    self._unanswered.add(url)
                continue
            if file.size != 0:
                return replace(file, url=url)
            tried.append(url)
        return None


def _spellings(assembly: str) -> tuple[str, str]:
    """The files of some bacteria have a ``_`` after the assembly."""
    return assembly, f"{assembly}_"
