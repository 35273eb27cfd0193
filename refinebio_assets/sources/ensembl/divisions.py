"""Ensembl's six divisions: what they are called, and on which servers each is found."""

from __future__ import annotations

from enum import StrEnum

from refinebio_assets.errors import RequestError

REST = "https://rest.ensembl.org"
_MAIN_FILES = "https://ftp.ensembl.org/pub"
# Plain http: this server's certificate is not made out to this name, so https would be refused
# (``web.urls`` knows it too, for FTP addresses).
_GENOMES_FILES = "http://ftp.ensemblgenomes.org/pub"
_ALSO_MAIN = ("", "vertebrates")


class Division(StrEnum):
    """One division of Ensembl, in the order in which an organism is looked for."""

    MAIN = "EnsemblMain"
    PLANTS = "EnsemblPlants"
    METAZOA = "EnsemblMetazoa"
    PROTISTS = "EnsemblProtists"
    FUNGI = "EnsemblFungi"
    BACTERIA = "EnsemblBacteria"

    @property
    def short(self) -> str:
        """Its name in paths: ``plants``."""
        return self.removeprefix("Ensembl").lower()

    @property
    def is_main(self) -> bool:
        """Tell whether it is Ensembl proper, whose releases and servers are not those of the others."""
        return self is Division.MAIN

    @property
    def holds_strains(self) -> bool:
        """Tell whether it has many strains of a species, of which one is chosen to stand for it."""
        return self in (Division.FUNGI, Division.BACTERIA)

    @property
    def species_url(self) -> str:
        """Where its genomes are listed."""
        return f"{REST}/info/species" if self.is_main else f"{REST}/info/genomes/division/{self}"

    @property
    def release_url(self) -> str:
        """Where its current release is told."""
        return f"{REST}/info/{'software' if self.is_main else 'eg_version'}"

    def files_url(self, release: int) -> str:
        """Return the folder of a release's files."""
        if self.is_main:
            return f"{_MAIN_FILES}/release-{release}"
        return f"{_GENOMES_FILES}/release-{release}/{self.short}"

    def species_table_url(self, release: int | None) -> str:
        """Return where a release's (None: the current one's) table of genomes and databases is."""
        if release is None:
            return f"{_GENOMES_FILES}/{self.short}/current/species_{self}.txt"
        return f"{self.files_url(release)}/species_{self}.txt"


def find_division(text: str) -> Division:
    """Return the division that is meant: ``EnsemblPlants``, ``plants``; ``Ensembl`` is the main one.

    Raises RequestError for any other text.
    """
    short = text.strip().lower().removeprefix("ensembl")
    if short in _ALSO_MAIN and text.strip():
        return Division.MAIN
    for division in Division:
        if division.short == short:
            return division
    raise RequestError(f"Ensembl has no division {text!r}; it has {', '.join(Division)}")
