"""Which files the annotation of an Illumina BeadArray is made from, as registered or published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from refinebio_assets.domain import Manufacturer, accession_problem, organism_name, organism_title
from refinebio_assets.errors import RequestError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.references.platform_registry import PLATFORM_REGISTRATION
from refinebio_assets.pipelines.references.registry import ReferenceRegistry
from refinebio_assets.platforms.illumina_arrays import (
    SOURCE,
    IlluminaPackage,
    find_package,
    illumina_package,
)
from refinebio_assets.platforms.microarrays import find_microarray

KIND = "BeadArray"


@dataclass(frozen=True, slots=True)
class BeadInputs:
    """The files of one BeadArray's annotation.

    ``platform`` is the name of its package (``illuminaHumanv4``), which is what platform detection reports.
    Locations are paths or URLs: ``package`` and ``organism_package`` as ``read_bead_package`` takes them,
    ``gene_choices`` a stored choice table, ``brainarray`` the organism's Brainarray tables and ``gtf`` its
    genes in Ensembl, from which one of several genes of a probe is chosen.
    """

    platform: str
    organism: str
    package: str = ""
    organism_package: str = ""
    gene_choices: str = ""
    brainarray: tuple[str, ...] = ()
    gtf: str = ""
    source: str = ""

    def locations(self) -> dict[str, str]:
        """Return the given files, role -> location; Brainarray's tables are numbered."""
        roles = ("package", "organism_package", "gene_choices", "gtf")
        found = {role: getattr(self, role) for role in roles if getattr(self, role)}
        tables = enumerate(self.brainarray, start=1)
        return found | {f"brainarray_{number}": location for number, location in tables}


def bead_inputs(content: Mapping[str, Any]) -> BeadInputs:
    """Return inputs from what is stored of them."""
    return BeadInputs(**{**content, "brainarray": tuple(content["brainarray"])})


_REGISTRY = ReferenceRegistry(PLATFORM_REGISTRATION, lambda info: bead_inputs(info["inputs"]))


def resolve_bead_platform(name: str, organism: str = "") -> tuple[str, str]:
    """Return the name and organism of the platform that a name of any kind means.

    ``name`` is the package's, refine.bio's accession (``Illumina_HumanHT-12_V4.0``) or an archive's
    (``GPL10558``); any other name is an array of a person's own, of the organism that is given, and kept.

    Raises RequestError for another organism than the package's.
    """
    package = find_package(name)
    wanted = organism_name(organism)
    if package is None:
        return name, wanted
    if wanted not in ("", package.organism):
        raise RequestError(
            f"{package.name} is an array of {organism_title(package.organism)}, not of "
            f"{organism_title(wanted)}. An array of your own needs a name of its own"
        )
    return package.name, package.organism


def published_bead_inputs(given: BeadInputs) -> BeadInputs:
    """Fill in the packages that are published for the array where none were given."""
    published = illumina_package(given.platform)
    if published is None:
        return given
    taken = not given.package
    return replace(
        given,
        package=given.package or published.location,
        organism_package=given.organism_package or published.organism_location,
        source=given.source or (SOURCE if taken else ""),
    )


def register_bead_platform(lake: Lake, inputs: BeadInputs) -> str:
    """Register an array's files and return the registration's version.

    Raises RequestError that names everything that is wrong at once.
    """
    problems = list(_problems(inputs))
    if problems:
        raise RequestError(problems, about=f"platform {inputs.platform}" if inputs.platform else "")
    content = {**asdict(inputs), "brainarray": list(inputs.brainarray)}
    return _REGISTRY.register(lake, inputs.platform, content, KIND)


def _problems(inputs: BeadInputs) -> Iterator[str]:
    problem = accession_problem(inputs.platform)
    if problem:
        yield f"the platform's name {problem}"
        return
    package = find_package(inputs.platform)
    if package is not None:
        yield from _problems_of_listed(inputs, package)
    else:
        yield from _problems_of_own(inputs)
    if not inputs.package:
        yield "its probes are missing: give the annotation package with --package FILE"
    if inputs.gtf and not inputs.brainarray:
        yield "a GTF decides between genes that are in as many Brainarray tables: give --brainarray FILE"


def _problems_of_listed(inputs: BeadInputs, package: IlluminaPackage) -> Iterator[str]:
    if inputs.platform != package.name:
        yield f"an array is registered under the name of its package: {package.name}, not {inputs.platform}"
    if inputs.organism != package.organism:
        yield f"{package.name} is an array of {package.organism}, not of {inputs.organism or 'no organism'}"


def _problems_of_own(inputs: BeadInputs) -> Iterator[str]:
    if not inputs.organism:
        yield "its organism is not known here: give --organism NAME"
    known = find_microarray(inputs.platform)
    if known is not None and known.manufacturer is not Manufacturer.ILLUMINA:
        yield f"{known.manufacturer} made this array; annotation packages of this kind are Illumina's"
