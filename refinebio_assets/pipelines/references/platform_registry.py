"""Which files a microarray's annotation is made from, as registered by a person or a table of sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from refinebio_assets.domain import Manufacturer, Platform, accession_problem
from refinebio_assets.errors import RequestError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.references.registry import ReferenceRegistry
from refinebio_assets.platforms.annotation_sources import SOURCE, annotation_source
from refinebio_assets.platforms.microarrays import find_by_chip_type, find_microarray, takes_core_probes

PLATFORM_REGISTRATION = "platform_registration"
_NOT_IN_NAMES = re.compile(r"[\W_]+")
_PACKAGE_VERSION = re.compile(r"ensgprobe_(\d+\.\d+\.\d+)\.tar\.gz$")


@dataclass(frozen=True, slots=True)
class PlatformInputs:
    """The files of one microarray's annotation: ``probe_tab``, or ``pgf`` and ``clf``.

    ``platform`` is refine.bio's name of the array (``hgu95av2``). Locations are paths or URLs; ``probe_tab``
    and ``brainarray`` may be flat tables or R packages. ``cdf`` goes with ``probe_tab``, ``mps`` (the core
    transcript clusters) with ``pgf``. ``source`` says who provides the probes, ``brainarray_version`` is the
    release of ``brainarray``; both are kept as given and may be empty.
    """

    platform: str
    probe_tab: str = ""
    brainarray: str = ""
    cdf: str = ""
    pgf: str = ""
    clf: str = ""
    mps: str = ""
    source: str = ""
    brainarray_version: str = ""

    def locations(self) -> dict[str, str]:
        """Return the given files, role -> location."""
        roles = ("probe_tab", "brainarray", "cdf", "pgf", "clf", "mps")
        return {role: getattr(self, role) for role in roles if getattr(self, role)}


_REGISTRY = ReferenceRegistry(PLATFORM_REGISTRATION, lambda info: PlatformInputs(**info["inputs"]))


def resolve_platform(name: str) -> Platform:
    """Return the microarray that a name of any kind means; nothing is known of an unlisted one.

    ``name`` is refine.bio's (``hgu95av2``), an archive's accession (``GPL8300``), or the chip type in a CEL
    file's header (``HG_U95Av2``). ``Platform.accession`` of an unlisted array is its name in lower case
    without punctuation, as refine.bio would call it.
    """
    found = find_microarray(name) or find_by_chip_type(name)
    if found is not None:
        return found
    bare = _NOT_IN_NAMES.sub("", name).lower()
    return Platform(accession=bare, name=name, source_accession=name)


def platform_warning(platform: str) -> str:
    """Say that an array is none that refine.bio supports; empty for one that is."""
    if find_microarray(platform) is not None:
        return ""
    return (
        f"{platform} is not among the microarrays that are listed: samples are matched with it only when "
        "their CEL files name it so"
    )


def published_inputs(given: PlatformInputs) -> PlatformInputs:
    """Fill in what is published for the array, where no probes were given; else return ``given``.

    Given Brainarray genes are kept. Raises RequestError for an array whose tables are not published at an
    address that is known here.
    """
    if given.probe_tab or given.pgf or given.clf:
        return given
    source = annotation_source(given.platform)
    if source is None:
        raise RequestError(
            f"where the probes of {given.platform or 'the platform'} are published is not known here: give "
            "local files, --probe-tab FILE (and --brainarray FILE) for a 3' array, or --pgf FILE and --clf "
            "FILE (and --mps FILE, --brainarray FILE) for an ST, exon or Clariom array"
        )
    if given.brainarray_version and not given.brainarray:
        raise RequestError(
            f"a Brainarray release ({given.brainarray_version}) is given, but no Brainarray file; published "
            f"at a known address is {source.brainarray_version or 'none'}"
        )
    genes = {"brainarray": source.brainarray, "brainarray_version": source.brainarray_version}
    return replace(
        given,
        probe_tab=source.probe_tab,
        source=given.source or SOURCE,
        **({} if given.brainarray else genes),
    )


def version_in_name(location: str) -> str:
    """Return the release in the name of a Brainarray R package (``22.0.0``), or an empty text."""
    found = _PACKAGE_VERSION.search(location)
    return found[1] if found else ""


def register_platform(lake: Lake, inputs: PlatformInputs) -> str:
    """Register an array's files and return the registration's version.

    Raises RequestError that names everything that is wrong at once.
    """
    problems = list(_problems(inputs))
    if problems:
        raise RequestError(problems, about=f"platform {inputs.platform}" if inputs.platform else "")
    return _REGISTRY.register(lake, inputs.platform, asdict(inputs))


def _problems(inputs: PlatformInputs) -> Iterator[str]:
    yield from _name_problems(inputs.platform)
    given = set(inputs.locations())
    if not given & {"probe_tab", "pgf", "clf"}:
        yield "its probes are missing: give a probe_tab, or a PGF and a CLF file"
    if "probe_tab" in given and given & {"pgf", "clf"}:
        yield "its probes are given twice: a probe_tab, or a PGF and a CLF file, not both"
    if len(given & {"pgf", "clf"}) == 1:
        present, missing = ("PGF", "CLF") if "pgf" in given else ("CLF", "PGF")
        yield f"a {present} file needs its {missing} file"
    if "mps" in given and "pgf" not in given:
        yield "an MPS file lists probe sets of a PGF file, and there is none"
    if "pgf" in given and takes_core_probes(inputs.platform) != ("mps" in given):
        yield _wrong_probes(inputs.platform)
    if "cdf" in given and "probe_tab" not in given:
        yield "a CDF file has no sequences: it goes with a probe_tab"
    if inputs.brainarray_version and "brainarray" not in given:
        yield f"a Brainarray release ({inputs.brainarray_version}) is given, but no Brainarray file"


def _wrong_probes(platform: str) -> str:
    if takes_core_probes(platform):
        return f"SCAN's model takes the core probes of {platform}: give the MPS file of its core clusters"
    return f"SCAN's model takes all probes of {platform}, not the core ones: leave the MPS file out"


def _name_problems(name: str) -> Iterator[str]:
    problem = accession_problem(name)
    if problem:
        yield f"the platform's name {problem}"
        return
    platform = resolve_platform(name)
    if platform.accession != name:
        yield f"an array is registered under refine.bio's name for it: {platform.accession}, not {name}"
    if platform.manufacturer not in (Manufacturer.AFFYMETRIX, Manufacturer.UNKNOWN):
        yield f"{platform.manufacturer} made this array; probe tables of this kind are Affymetrix's"
