"""Illumina's BeadArrays: which annotation packages an organism has, which arrays each serves, where they are.

One row of ``tables/illumina_packages.tsv`` is one package of Bioconductor. Arrays of one design share a
package: HumanRef-8 v2 has 45 % of the probes of Human-6 v2. Reading packages and telling a file's platform by
its probes is the work of other rooms.

Addresses and versions are those of refine.bio's own installation (``workers/R/dependencies/illumina``,
Bioconductor 3.11); checksums those of Bioconda's recipes for the same versions. For the organisms' packages
in that version no checksum is published there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from refinebio_assets.platforms.microarrays import find_microarray
from refinebio_assets.platforms.tables_on_disk import table_rows

BIOCONDUCTOR = "https://bioconductor.org/packages/3.11/data/annotation/src/contrib"
"""The release that refine.bio's Illumina image is of. The BeadArray packages have not changed since 2015."""
PACKAGE_VERSION = "1.26.0"
SOURCE = "Bioconductor 3.11"


@dataclass(frozen=True, slots=True)
class IlluminaPackage:
    """One annotation package and what it serves.

    ``name`` is what platform detection reports (``illuminaHumanv4``). ``platforms`` are refine.bio's
    accessions of its arrays, ``platform`` that of the array with all of the probes. ``location`` is the
    package's public address and ``md5`` its published checksum; ``organism_location`` the address of the
    organism's package, from which the Ensembl ids come, without a published checksum.
    """

    name: str
    organism: str
    platforms: tuple[str, ...]
    location: str
    md5: str
    organism_location: str

    @property
    def platform(self) -> str:
        """refine.bio's accession of the largest array that the package serves."""
        return self.platforms[0]


@cache
def illumina_packages() -> tuple[IlluminaPackage, ...]:
    """Return every package, by organism and version."""
    return tuple(
        IlluminaPackage(
            name=row["package"],
            organism=row["organism"],
            platforms=tuple(row["platforms"].split()),
            location=f"{BIOCONDUCTOR}/{row['package']}.db_{PACKAGE_VERSION}.tar.gz",
            md5=row["package_md5"],
            organism_location=f"{BIOCONDUCTOR}/{row['organism_package']}.tar.gz",
        )
        for row in table_rows("illumina_packages.tsv")
    )


def candidate_packages(organism: str) -> tuple[IlluminaPackage, ...]:
    """Return the packages among which the platform of a file is looked for, the first winning ties.

    ``organism`` is as everywhere (``HOMO_SAPIENS``). Empty for an organism without BeadArrays: only human,
    mouse and rat have any.
    """
    return tuple(package for package in illumina_packages() if package.organism == organism)


def illumina_package(name: str) -> IlluminaPackage | None:
    """Return a package by its name in any case, with or without ``.db``; None when it is not known."""
    wanted = name.lower().removesuffix(".db")
    return next((package for package in illumina_packages() if package.name.lower() == wanted), None)


def package_of_platform(accession: str) -> IlluminaPackage | None:
    """Return the package that serves an array (refine.bio's accession, in any case), or None."""
    wanted = accession.lower()
    serving = (
        package
        for package in illumina_packages()
        if wanted in (platform.lower() for platform in package.platforms)
    )
    return next(serving, None)


def find_package(name: str) -> IlluminaPackage | None:
    """Return the package that a name of any kind means, in any case, or None.

    ``name`` is the package's own, refine.bio's accession of an array (``Illumina_HumanHT-12_V4.0``), or an
    archive's (``GPL10558``, ``A-MEXP-2072``).
    """
    array = find_microarray(name)
    return illumina_package(name) or package_of_platform(array.accession if array else name)


def published_package_md5(location: str) -> str:
    """Return the published checksum of what is at an address, empty where there is none."""
    return next((package.md5 for package in illumina_packages() if package.location == location), "")
