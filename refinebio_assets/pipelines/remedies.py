"""What makes whole again what is damaged or lost in the lake: the command, by the asset.

Finding damage, and setting it aside, is done in ``lake/damage``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

from refinebio_assets.errors import FormatError, RefinebioError
from refinebio_assets.lake.content import verify_file
from refinebio_assets.lake.damage import Damage, VerifyProblem
from refinebio_assets.lake.records import Commit
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines import (
    discovery,
    experiment_record,
    gene_expression,
    harmonized_metadata,
    metadata_overlays,
    raw_files,
    registry,
    sample_quantification,
    sample_quantifications,
    target_quantiles,
)
from refinebio_assets.pipelines.compendia.bundle import compendium_bundle
from refinebio_assets.pipelines.compendia.kinds import ASSETS, CompendiumKind
from refinebio_assets.pipelines.datasets import bundle, dataset_matrices
from refinebio_assets.pipelines.datasets import registry as dataset_registry
from refinebio_assets.pipelines.references import gene_index, platform_annotation, transcriptome_index
from refinebio_assets.pipelines.references.gene_index import GENE_INDEX_REGISTRATION
from refinebio_assets.pipelines.references.platform_registry import PLATFORM_REGISTRATION
from refinebio_assets.pipelines.references.transcriptome_registry import TRANSCRIPTOME_REGISTRATION
from refinebio_assets.pipelines.targets.settings import TARGET_REGISTRATION

_PROCESS = "process {name}"
_SHEET = "process --sample-sheet {origin}"
_TRANSCRIPTOME = "reference add-transcriptome"
_PLATFORM = "reference add-platform"
_GENE_INDEX = "reference add-gene-index"
_SAMPLES = f"compendium build {{name}} --kind {CompendiumKind.RNASEQ_SAMPLE}"
_COMMANDS: Mapping[str, str] = {
    registry.EXPERIMENT_REGISTRATION: _PROCESS,
    experiment_record.SOURCE_STATE: "process {name} --survey-again",
    experiment_record.ASSET: _PROCESS,
    harmonized_metadata.ASSET: _PROCESS,
    raw_files.ASSET: _PROCESS,
    sample_quantifications.ASSET: _PROCESS,
    gene_expression.ASSET: _PROCESS,
    metadata_overlays.CORRECTIONS: "metadata import-corrections {origin} --name {name}",
    metadata_overlays.ATTRIBUTES: "metadata import-attributes {origin} --source {name}",
    target_quantiles.ASSET: "target build {name}",
    TARGET_REGISTRATION: "target build {name}",
    dataset_registry.ASSET: "dataset create --name {name} --from {origin}",
    dataset_matrices.ASSET: "dataset build {name}",
    bundle.ASSET: "dataset build {name}",
    ASSETS[CompendiumKind.NORMALIZED]: "compendium build {name}",
    compendium_bundle.ASSET: "compendium build {name}",
    ASSETS[CompendiumKind.RNASEQ_SAMPLE]: _SAMPLES,
    discovery.ASSET: "discover search",
}
_REFERENCES: Mapping[str, tuple[str, str]] = {
    transcriptome_index.ASSET: (TRANSCRIPTOME_REGISTRATION, _TRANSCRIPTOME),
    TRANSCRIPTOME_REGISTRATION: (TRANSCRIPTOME_REGISTRATION, _TRANSCRIPTOME),
    platform_annotation.ASSET: (PLATFORM_REGISTRATION, _PLATFORM),
    PLATFORM_REGISTRATION: (PLATFORM_REGISTRATION, _PLATFORM),
    gene_index.ASSET: (GENE_INDEX_REGISTRATION, _GENE_INDEX),
    GENE_INDEX_REGISTRATION: (GENE_INDEX_REGISTRATION, _GENE_INDEX),
}
"""Where the files are listed that a reference was made from, and which command takes them."""

_ORDER = ("reference", "metadata", "discover", "process", "target", "dataset", "compendium")
REQUEST = "REQUEST"
"""What stands in a command for the request of a dataset, where it is lost as well."""

_NO_OPTIONS = {_TRANSCRIPTOME: ("source", "taxonomy_id"), _PLATFORM: (), _GENE_INDEX: ()}
_OUTGROWN = "nothing makes an earlier version again; the newest is another"
_WITHOUT_COMMAND = {
    Damage.NEWER: "newer software wrote it: upgrade refinebio-assets",
    Damage.UNREADABLE: "see to the disk or the permissions, and verify again",
}
_NOTHING = "nothing makes it again"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one stored file or record, which commits name it, and what makes it whole again.

    ``commands`` are without the program's name; where there are none, ``note`` says why. What is to be set
    aside first, and may be, is ``movable``.
    """

    path: str
    damage: Damage
    problem: str
    named_by: tuple[str, ...]
    commands: tuple[str, ...]
    note: str = ""

    @property
    def movable(self) -> bool:
        """Whether setting it aside moves it."""
        return self.damage in (Damage.CONTENT, Damage.RECORD)


def in_order(commands: Iterable[str]) -> list[str]:
    """Return commands, each once, so that what others are made from comes first."""
    return sorted(dict.fromkeys(commands), key=_turn)


def _turn(command: str) -> tuple[int, bool]:
    group, action, *_ = command.split(" ")
    return _ORDER.index(group), (group, action) != ("dataset", "create")


def known_losses(lake: Lake, problems: Sequence[VerifyProblem]) -> list[VerifyProblem]:
    """Return the losses that somebody decided about: of earlier versions, set aside before."""
    lost = [problem for problem in problems if problem.damage is Damage.LOST]
    newest = {problem.path for problem in lost if problem.is_newest}
    aside = lake.set_aside_paths() if lost else set()
    return [problem for problem in lost if problem.path in aside - newest]


def findings(lake: Lake, problems: Iterable[VerifyProblem]) -> list[Finding]:
    """Return what ``verify_all`` found, each file once, with what makes it whole again."""
    by_path: dict[str, list[VerifyProblem]] = {}
    for problem in problems:
        by_path.setdefault(problem.path, []).append(problem)
    remedies = _Remedies(lake)
    return [_finding(path, same, remedies) for path, same in by_path.items()]


def _finding(path: str, problems: Sequence[VerifyProblem], remedies: _Remedies) -> Finding:
    first = problems[0]
    newest = [problem for problem in problems if problem.is_newest]
    commands: tuple[str, ...] = ()
    note = _WITHOUT_COMMAND.get(first.damage, _NOTHING if newest else _OUTGROWN)
    if first.damage not in _WITHOUT_COMMAND:
        commands = tuple(dict.fromkeys(command for each in newest for command in remedies.of(each)))
    named = tuple(_named(problem) for problem in problems)
    return Finding(path, first.damage, first.problem, named, commands, "" if commands else note)


def _named(problem: VerifyProblem) -> str:
    age = "the newest version" if problem.is_newest else "an earlier version"
    return f"{age} of {problem.entry.asset} of {problem.entry.partition}"


class _Remedies:
    """The commands for one lake; which experiments list a sample is looked up once, when it is asked."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._experiments: Mapping[str, Sequence[str]] | None = None

    def of(self, problem: VerifyProblem) -> list[str]:
        """Return the commands that make again what a newest commit lost, none where nothing does."""
        asset, name = problem.entry.asset, problem.entry.partition
        if asset == sample_quantification.ASSET:
            return [_PROCESS.format(name=quote(experiment)) for experiment in self._experiments_of(name)]
        if asset in _REFERENCES:
            return [_reference_command(self._lake, *_REFERENCES[asset], name)]
        if asset not in _COMMANDS:
            return []
        info = self._info(problem, asset, name)
        origin = info.get("origin") or info.get("settings", {}).get("origin") or "FILE"
        if asset == dataset_registry.ASSET:
            origin = self._request_of(problem)
        command = _command(asset, info).format(name=quote(name), origin=quote(origin))
        # In a bucket only a look at each file tells which are lost.
        is_lost = asset == raw_files.ASSET and problem.damage is Damage.LOST and not self._lake.is_local
        return [f"{command} --retry-failed" if is_lost else command]

    def _info(self, problem: VerifyProblem, asset: str, name: str) -> Mapping[str, Any]:
        """Return what a commit's maker kept; of a target, what was decided about it."""
        if asset == target_quantiles.ASSET:
            decided = _head(self._lake, TARGET_REGISTRATION, name)
            return decided.info if decided else {}
        return {} if problem.stored is None else self._lake.read(problem.entry).info

    def _request_of(self, problem: VerifyProblem) -> str:
        """Return the file with the request of a dataset, or ``REQUEST`` where that is lost as well."""
        if problem.stored is None or not self._lake.is_local:
            return REQUEST
        file = self._lake.read(problem.entry).file(dataset_registry.NAME)
        try:
            verify_file(self._lake.storage, file)
        except RefinebioError:
            return REQUEST
        return str(self._lake.local(file))

    def _experiments_of(self, sample: str) -> Sequence[str]:
        if self._experiments is None:
            self._experiments = _experiments_by_sample(self._lake)
        return self._experiments.get(sample, ())


def _command(asset: str, info: Mapping[str, Any]) -> str:
    """Return the command for an asset, which for some depends on where a version came from."""
    if asset == registry.EXPERIMENT_REGISTRATION and info and not info.get("survey_version"):
        return _SHEET
    if info.get("settings", {}).get("file"):
        return "target import {origin} --organism {name}"
    return _COMMANDS[asset]


def _reference_command(lake: Lake, registration: str, command: str, name: str) -> str:
    """Return the command that registers a reference's files again, as they were."""
    head = _head(lake, registration, name)
    inputs = dict(head.info["inputs"]) if head else {}
    table = inputs.pop("table", "")
    words = [command]
    for option, value in inputs.items():
        if option not in _NO_OPTIONS[command]:
            values = [value] if isinstance(value, str) else value
            words += [f"--{option.replace('_', '-')} {quote(each)}" for each in values if each]
    return " ".join([*words, quote(table)] if table else words)


def _experiments_by_sample(lake: Lake) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for experiment in lake.partitions(sample_quantifications.ASSET):
        head = _head(lake, sample_quantifications.ASSET, experiment)
        for sample in head.info["basis"].get("samples", {}) if head else ():
            found.setdefault(sample, []).append(experiment)
    return found


def _head(lake: Lake, asset: str, partition: str) -> Commit | None:
    """Return the newest commit of a partition, None also where its record is damaged, too."""
    try:
        return lake.head(asset, partition)
    except FormatError:
        return None
