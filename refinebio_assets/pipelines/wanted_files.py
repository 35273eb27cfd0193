"""Which of an experiment's source files are wanted in the lake, and how each stands at its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from refinebio_assets.domain import Experiment, Sample, SourceFile
from refinebio_assets.errors import RefinebioError
from refinebio_assets.pipelines.fetch_file import Origin, WebSource, describe, locate, promised
from refinebio_assets.platforms.pipeline_choice import choose_pipeline
from refinebio_assets.sources.sample_sheet import SOURCE as SAMPLE_SHEET


def wanted_files(experiment: Experiment) -> Iterator[tuple[Sample, SourceFile]]:
    """Yield each sample with each file of it that is to be in the lake.

    All files that a person lists in a sample sheet; of what an archive offers, those that the sample's
    pipeline reads.
    """
    for sample in experiment.samples:
        files = sample.files if from_sheet(experiment) else choose_pipeline(sample).files
        for file in files:
            yield sample, file


def from_sheet(experiment: Experiment) -> bool:
    """Tell whether a person listed the files: those are looked at anew each time, as they may change."""
    return experiment.source == SAMPLE_SHEET


def states_at_source(experiment: Experiment, in_lake: Mapping[str, str], web: WebSource) -> dict[str, str]:
    """Return how each wanted file stands, location -> a text that changes when the file does.

    What a public archive holds is taken to be as its record promises. ``in_lake`` gives what is known of
    files that can no longer be seen.
    """
    states = {}
    for _, file in wanted_files(experiment):
        if file.location not in states:
            known = in_lake.get(file.location)
            sheet = from_sheet(experiment)
            states[file.location] = _look(file, known, web) if sheet else describe(promised(file))
    return states


def origin_now(file: SourceFile, *, sheet: bool, web: WebSource) -> Origin:
    """Return a file's origin as it stands; raises what ``locate`` raises."""
    return locate(file.location, web) if sheet else promised(file)


def _look(file: SourceFile, known: str | None, web: WebSource) -> str:
    try:
        return describe(locate(file.location, web))
    except RefinebioError as error:
        return known or f"unavailable ({error})"
