"""What a person decided about an organism's target: how many samples it needs, or that it comes as a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from refinebio_assets.domain import Technology, counted
from refinebio_assets.errors import RequestError
from refinebio_assets.formats.compressed import read_chunks
from refinebio_assets.formats.target_file import read_target_file
from refinebio_assets.lake.store import Lake, StoredFile
from refinebio_assets.pipelines.freshness import content_hash

TARGET_REGISTRATION = "target_registration"
CODE_VERSION = "1"
MINIMUM_VARIABLE = "REFINEBIO_TARGET_SAMPLES"
DEFAULT_MINIMUM = 100
"""refine.bio makes a target of no fewer samples."""
LEAST_QUANTILES = 1000
"""The smallest arrays that refine.bio makes targets of have some thousand genes; yeast has 6,000."""
AUTOMATIC = "automatic"
"""Arrays for an organism that has any, else RNA-seq."""
TECHNOLOGIES = (AUTOMATIC, str(Technology.MICROARRAY), str(Technology.RNA_SEQ))


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """How an organism's target is made.

    ``minimum`` is how many samples it needs at least, ``technology`` one of ``TECHNOLOGIES``. Where a file
    was imported, ``file`` is it, and ``technology`` and ``platform`` are what was said of it.
    """

    minimum: int = DEFAULT_MINIMUM
    technology: str = AUTOMATIC
    platform: str = ""
    file: StoredFile | None = None
    origin: str = ""


def default_settings(environment: Mapping[str, str] = os.environ) -> TargetSettings:
    """Return what holds for organisms that nobody decided about. Raises RequestError."""
    given = environment.get(MINIMUM_VARIABLE)
    if given is None:
        return TargetSettings()
    if not given.isdecimal() or int(given) < 1:
        raise RequestError(f"{MINIMUM_VARIABLE} must be a whole number of at least 1, not {given!r}")
    return TargetSettings(minimum=int(given))


def target_settings(lake: Lake, organism: str) -> TargetSettings:
    """Return how an organism's target is made: as last decided, else by default."""
    head = lake.head(TARGET_REGISTRATION, organism)
    if head is None:
        return default_settings()
    content = dict(head.info["settings"])
    stored = content.pop("file")
    return TargetSettings(**content, file=StoredFile(**stored) if stored else None)


def decide_samples(
    lake: Lake, organism: str, *, minimum: int | None = None, technology: str | None = None
) -> TargetSettings:
    """Have the target made of the lake's samples; what is None stays as it was decided before.

    Raises RequestError for a minimum below 1 or an unknown technology.
    """
    if minimum is not None and minimum < 1:
        raise RequestError(f"a target needs at least 1 sample, not {minimum}")
    if technology is not None and technology not in TECHNOLOGIES:
        raise RequestError(f"there is no technology {technology}; there are {', '.join(TECHNOLOGIES)}")
    before = target_settings(lake, organism)
    if before.file is not None:
        before = default_settings()
    settings = replace(
        before,
        minimum=minimum if minimum is not None else before.minimum,
        technology=technology if technology is not None else before.technology,
    )
    _register(lake, organism, settings)
    return settings


def import_target(
    lake: Lake,
    organism: str,
    file: Path,
    *,
    technology: Technology = Technology.MICROARRAY,
    platform: str = "",
    least: int = LEAST_QUANTILES,
) -> TargetSettings:
    """Have the target be that of a file (one column of numbers), which is copied to the lake.

    ``technology`` is what its samples were measured with. Raises NotFoundError, FormatError naming the line,
    and RequestError for a target without spread or of fewer than ``least`` numbers.
    """
    values = read_target_file(file)
    if len(values) < least:
        raise RequestError(
            f"{file}: expected the target of a whole array or transcriptome, a number for each of its "
            f"thousands of genes; found {counted(len(values), 'number')}. If that is all of it: --least "
            f"{len(values)}"
        )
    if len(values) > 1 and values[0] == values[-1]:
        raise RequestError(f"{file}: all {len(values):,} numbers are {values[0]:g}, which is no distribution")
    stored = lake.put_object(read_chunks(file), file.name)
    settings = TargetSettings(
        minimum=default_settings().minimum,
        technology=str(technology),
        platform=platform,
        file=stored,
        origin=str(file.absolute()),
    )
    _register(lake, organism, settings)
    return settings


def _register(lake: Lake, organism: str, settings: TargetSettings) -> None:
    content = asdict(settings)
    version = content_hash(content)
    head = lake.head(TARGET_REGISTRATION, organism)
    if head is not None and head.version == version:
        return
    with lake.draft(TARGET_REGISTRATION, organism) as draft:
        if settings.file is not None:
            draft.attach(settings.file)
        draft.commit(version=version, code_version=CODE_VERSION, info={"settings": content})
