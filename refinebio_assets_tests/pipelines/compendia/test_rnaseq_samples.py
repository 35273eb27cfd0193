"""RNA-seq sample compendia: what is in the zip, what is left out, versions, and builds that are killed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.errors import AllFailedError, NotFoundError, PermanentError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.compendia.kinds import CompendiumKind, require_version, zip_of
from refinebio_assets.pipelines.compendia.rnaseq_samples import rnaseq_sample_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples.inspection import (
    sample_compendium_problems,
    zip_problems,
)
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    ASSET,
    build_rnaseq_sample_compendium,
)
from refinebio_assets.pipelines.harmonized_metadata import harmonize_experiment
from refinebio_assets.pipelines.outcome import Outcome
from refinebio_assets.pipelines.progress import Silent
from refinebio_assets_tests.conftest import REPOSITORY
from refinebio_assets_tests.pipelines.datasets.world import HUMAN, MOUSE, World, arrays, rna_seq

HEADER = b"Name\tLength\tEffectiveLength\tTPM\tNumReads\n"
KIND = CompendiumKind.RNASEQ_SAMPLE


def quant_sf(seed: int = 0, transcripts: int = 20) -> bytes:
    return HEADER + b"".join(
        b"ENST%011d.1\t1000\t820.5\t%d.25\t%d.000\n" % (number, number * 7 + seed, number)
        for number in range(transcripts)
    )


def add_reads(world: World, experiment: str, *samples: str, **options: Any) -> None:
    files = {sample: quant_sf(sum(sample.encode())) for sample in samples} | options.pop("files", {})
    made = rna_seq(list(files), organism=options.pop("organism", HUMAN))
    world.add(experiment, made, quant_sf=files, **options)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two experiments that share a sample, with cut files and a failure; arrays, and another species."""
    made = World(tmp_path, source="SRA", metadata={"SRR1": [("title", "one"), ("tissue", "liver")]})
    cut = {"SRR3": quant_sf()[:-9], "SRR4": b"Nam"}
    add_reads(made, "SRP1", "SRR1", "SRR2", files=cut, failed={"SRR5": "no reads were mapped"})
    add_reads(made, "SRP2", "SRR2", "SRR6")
    made.add("GSE1", arrays(["GSM1"]))
    add_reads(made, "SRP3", "SRR7", organism=MOUSE)
    return made


def opened(lake: Lake, commit: Commit) -> zipfile.ZipFile:
    return zipfile.ZipFile(lake.local(zip_of(commit)))


def rows_of(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    text = io.StringIO(archive.read(name).decode(), newline="")
    return list(csv.DictReader(text, dialect="excel-tab"))


def test_the_layout_is_a_folder_an_experiment_with_files_and_their_metadata(world: World) -> None:
    outcome = build_rnaseq_sample_compendium(world.lake, HUMAN)
    archive = opened(world.lake, outcome.commit)
    assert archive.namelist() == [
        "SRP1/SRR1_quant.sf",
        "SRP1/SRR2_quant.sf",
        "SRP1/metadata_SRP1.tsv",
        "SRP2/SRR2_quant.sf",
        "SRP2/SRR6_quant.sf",
        "SRP2/metadata_SRP2.tsv",
        "README.md",
        "LICENSE.TXT",
        "aggregated_metadata.json",
        "filtered_samples_metadata.json",
        "filtered_samples_metadata.tsv",
        "compendium.lock.json",
        "manifest.json",
    ]
    assert archive.read("SRP2/SRR6_quant.sf") == quant_sf(sum(b"SRR6"))
    first, second = rows_of(archive, "SRP1/metadata_SRP1.tsv")
    assert (first["refinebio_accession_code"], first["tissue"], first["experiment_accession"]) == (
        "SRR1",
        "liver",
        "SRP1",
    )
    assert (second["refinebio_accession_code"], second["tissue"]) == ("SRR2", "")
    aggregated = json.loads(archive.read("aggregated_metadata.json"))
    assert (aggregated["num_samples"], aggregated["num_experiments"]) == (3, 2)
    assert aggregated["quant_sf_only"] is True and aggregated["compendium_version"] == 1
    assert sorted(aggregated["samples"]) == ["SRR1", "SRR2", "SRR6"]
    assert sorted(aggregated["experiments"]) == ["SRP1", "SRP2"]
    assert sample_compendium_problems(world.lake, HUMAN) == []


def test_every_sample_without_a_whole_file_is_listed_with_its_reason(world: World) -> None:
    outcome = build_rnaseq_sample_compendium(world.lake, HUMAN)
    reasons = {item.item: item.reason for item in outcome.dropped}
    assert list(reasons) == ["SRR3", "SRR4", "SRR5"]
    assert reasons["SRR3"].startswith("truncated") and "line 21" in reasons["SRR3"]
    assert reasons["SRR4"].startswith("truncated") and "expected the header" in reasons["SRR4"]
    assert reasons["SRR5"] == "no reads were mapped"
    archive = opened(world.lake, outcome.commit)
    listed = {
        row["refinebio_accession_code"]: row["reason"]
        for row in rows_of(archive, "filtered_samples_metadata.tsv")
    }
    told = json.loads(archive.read("filtered_samples_metadata.json"))
    assert listed == reasons == {name: facts["reason"] for name, facts in told.items()}
    (row,) = read_rows(world.lake, outcome.commit, "compendia")
    assert (row["kind"], row["samples"], row["dropped_samples"], row["genes"]) == (
        "rnaseq-sample",
        3,
        3,
        None,
    )
    assert row["bytes"] == zip_of(outcome.commit).size


def test_a_file_that_is_not_what_was_committed_is_left_out(world: World) -> None:
    (stored,) = [
        file for commit in world.lake.history("sample_quantification", "SRR1") for file in commit.files
    ]
    path = Path(world.lake.url) / stored.path
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    (reason,) = [
        item.reason
        for item in build_rnaseq_sample_compendium(world.lake, HUMAN).dropped
        if item.item == "SRR1"
    ]
    assert "cannot be read" in reason and "expected sha256" in reason


def test_the_lock_and_the_manifest_say_what_each_file_is_and_is_made_from(world: World) -> None:
    archive = opened(world.lake, build_rnaseq_sample_compendium(world.lake, HUMAN).commit)
    listed = {item["path"]: item for item in json.loads(archive.read("manifest.json"))["files"]}
    assert listed.keys() == set(archive.namelist()) - {"manifest.json"}
    for name, item in listed.items():
        data = archive.read(name)
        assert (item["size"], item["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    lock = json.loads(archive.read("compendium.lock.json"))
    experiment = lock["experiments"]["SRP2"]
    record = world.lake.head("experiment_record", "SRP2")
    assert record is not None and experiment["commits"]["record"]["commit"] == record.id
    assert experiment["samples"]["SRR6"]["processor"] == "Salmon"
    assert experiment["samples"].keys() == {"SRR2", "SRR6"}


def test_nothing_is_done_when_nothing_changed_and_versions_count_up(world: World) -> None:
    first = build_rnaseq_sample_compendium(world.lake, HUMAN)
    again = build_rnaseq_sample_compendium(world.lake, HUMAN)
    assert not again.changed and again.commit.id == first.commit.id and again.dropped == first.dropped
    add_reads(world, "SRP4", "SRR8")
    second = build_rnaseq_sample_compendium(world.lake, HUMAN)
    assert set(second.reasons) == {"samples of SRP4 added", "metadata of SRP4 added"}
    assert second.commit.info["number"] == 2
    assert "SRP4/SRR8_quant.sf" in opened(world.lake, second.commit).namelist()
    older = require_version(world.lake, KIND, HUMAN, 1)
    assert "SRP4/SRR8_quant.sf" not in opened(world.lake, older).namelist()
    with pytest.raises(NotFoundError, match="no rnaseq-sample compendium version 3; it has 1, 2"):
        require_version(world.lake, KIND, HUMAN, 3)


def test_a_number_that_a_build_elsewhere_has_is_left_to_it(world: World) -> None:
    assert world.lake.claim_number(KIND.asset, HUMAN) == 1
    made = build_rnaseq_sample_compendium(world.lake, HUMAN).commit
    assert made.info["number"] == read_rows(world.lake, made, "compendia")[0]["number"] == 2
    assert json.loads(opened(world.lake, made).read("compendium.lock.json"))["number"] == 2


def test_what_another_build_made_since_the_assessment_is_not_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assess, others = rnaseq_sample_compendium.assess_samples, []

    def assess_and_be_overtaken(lake: Lake, organism: str) -> rnaseq_sample_compendium.Assessment:
        assessed = assess(lake, organism)
        monkeypatch.undo()
        others.append(build_rnaseq_sample_compendium(lake, organism))
        return assessed

    monkeypatch.setattr(rnaseq_sample_compendium, "assess_samples", assess_and_be_overtaken)
    slower = build_rnaseq_sample_compendium(world.lake, HUMAN)
    assert others[0].changed and not slower.changed
    assert slower.commit.id == others[0].commit.id and slower.dropped == others[0].dropped
    assert not any(world.lake.storage.scratch.iterdir())


class AnotherMachine(Silent):
    """Makes the compendium, with a scratch folder of its own, once another build has written a file."""

    def __init__(self, lake: Lake, scratch: Path) -> None:
        self.lake = Lake(lake.url)
        self.lake.storage.scratch = scratch
        self.made: Outcome | None = None

    def advance(self, task: str, note: str = "", amount: int = 1) -> None:
        if self.made is None:
            self.made = build_rnaseq_sample_compendium(self.lake, HUMAN)


def test_what_another_machine_made_while_a_build_was_at_work_is_taken(world: World, tmp_path: Path) -> None:
    other = AnotherMachine(world.lake, tmp_path / "scratch")
    slower = build_rnaseq_sample_compendium(world.lake, HUMAN, progress=other)
    assert other.made is not None and other.made.changed
    assert (slower.changed, slower.commit.id) == (False, other.made.commit.id)
    assert len(world.lake.history(KIND.asset, HUMAN)) == 1
    assert not any(world.lake.storage.scratch.iterdir())


def test_the_same_content_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "lake", tmp_path / "copy")
    commits = [
        build_rnaseq_sample_compendium(Lake(str(tmp_path / name)), HUMAN).commit for name in ("lake", "copy")
    ]
    assert commits[0].id != commits[1].id
    assert zip_of(commits[0]).sha256 == zip_of(commits[1]).sha256


def test_an_organism_without_sequencing_or_with_damaged_files_only_is_refused(world: World) -> None:
    with pytest.raises(PermanentError, match="no RNA-seq samples of DANIO_RERIO that were quantified"):
        build_rnaseq_sample_compendium(world.lake, "DANIO_RERIO")
    with pytest.raises(NotFoundError, match=r"compendium build DANIO_RERIO --kind rnaseq-sample"):
        require_version(world.lake, KIND, "DANIO_RERIO")
    add_reads(world, "SRP9", organism="DANIO_RERIO", files={"SRR9": b"Name"})
    with pytest.raises(AllFailedError, match="SRR9: truncated"):
        build_rnaseq_sample_compendium(world.lake, "DANIO_RERIO")
    assert world.lake.head(ASSET, "DANIO_RERIO") is None


def test_a_zip_that_was_changed_is_found(world: World, tmp_path: Path) -> None:
    commit = build_rnaseq_sample_compendium(world.lake, HUMAN).commit
    path = world.lake.local(zip_of(commit))
    assert zip_problems(path) == []
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        for name in good.namelist():
            data = (
                good.read(name).replace(b"820.5", b"820.6")
                if name == "SRP1/SRR1_quant.sf"
                else good.read(name)
            )
            if name != "SRP2/SRR6_quant.sf":
                bad.writestr(name, data)
    assert zip_problems(tmp_path / "bad.zip") == [
        "the manifest has SRP2/SRR6_quant.sf, the zip has not",
        "SRP1/SRR1_quant.sf has not the checksum that the manifest promises",
        "SRP2 has 1 quant.sf files, and 2 rows of metadata or others",
    ]


class Counting:
    """Counts what a build does, and ends it, as a kill would, at a file."""

    def __init__(self, ends_at: int = -1) -> None:
        self.total = self.done = 0
        self.said: list[str] = []
        self._ends_at = ends_at

    def start(self, task: str, total: int, unit: str) -> None:
        self.total = total

    def advance(self, task: str, note: str = "", amount: int = 1) -> None:
        self.done += amount
        if self.done == self._ends_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def say(self, text: str) -> None:
        self.said.append(text)


WORKER = """
import sys
from refinebio_assets.lake.store import Lake
from refinebio_assets_tests.pipelines.compendia.test_rnaseq_samples import HUMAN, Counting
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium as build,
)
build(Lake(sys.argv[1]), HUMAN, progress=Counting(int(sys.argv[2])))
"""


def killed_at(lake: Lake, file: int) -> None:
    """Build in a process that is killed while it writes this file."""
    done = subprocess.run(
        [sys.executable, "-c", WORKER, lake.url, str(file)],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


def test_a_killed_build_shows_nothing_and_the_next_goes_on_behind_the_last_whole_experiment(
    world: World, tmp_path: Path
) -> None:
    before = build_rnaseq_sample_compendium(world.lake, HUMAN).commit
    add_reads(world, "SRP4", "SRR8", "SRR9")
    shutil.copytree(tmp_path / "lake", tmp_path / "copy")
    killed_at(world.lake, 7)  # in SRP4, behind the six files of SRP1 and SRP2
    head = world.lake.head(ASSET, HUMAN)
    assert head is not None and head.id == before.id
    assert world.lake.verify_all().problems == ()
    progress = Counting()
    outcome = build_rnaseq_sample_compendium(world.lake, HUMAN, progress=progress)
    assert progress.said[0] == "2 of 3 experiments are there from a build that was interrupted"
    assert (progress.total, progress.done) == (2, 2)
    at_once = build_rnaseq_sample_compendium(Lake(str(tmp_path / "copy")), HUMAN)
    assert zip_of(outcome.commit).sha256 == zip_of(at_once.commit).sha256
    assert not any(world.lake.storage.scratch.iterdir())


def test_what_a_killed_build_left_is_not_used_when_it_changed_since(world: World) -> None:
    killed_at(world.lake, 6)
    world.metadata["SRR6"] = [("title", "another title")]
    add_reads(world, "SRP2", "SRR2", "SRR6")
    harmonize_experiment(world.lake, "SRP2")
    progress = Counting()
    outcome = build_rnaseq_sample_compendium(world.lake, HUMAN, progress=progress)
    assert progress.said[0].startswith("1 of 2 experiments")
    table = rows_of(opened(world.lake, outcome.commit), "SRP2/metadata_SRP2.tsv")
    assert table[1]["title"] == "another title"


def test_the_readme_and_the_lock_tell_releases_of_transcripts_and_how_many_files_have_which(
    world: World,
) -> None:
    with world.lake.draft("transcriptome_index", HUMAN) as draft:
        known = {
            "organism": HUMAN,
            "version": "v",
            "release": "111",
            "assembly": "GRCh38",
            "source": "Ensembl",
        }
        numbers = {"transcripts": 9, "mapped_transcripts": 9, "genes": 9}
        draft.write_table("transcriptomes", [known | numbers | {"salmon_version": "1.10.1"}])
        draft.commit(version="0123456789abcdef", code_version="1")
    with world.lake.draft("sample_quantifications", "SRP2") as draft:
        rows = read_rows(world.lake, head_of(world.lake, "sample_quantifications", "SRP2"), "results")
        draft.write_table("results", [row | {"reference": "0123456789abcdef"} for row in rows])
        draft.commit(version="with a reference", code_version="1")
    archive = opened(world.lake, build_rnaseq_sample_compendium(world.lake, HUMAN).commit)
    text = archive.read("README.md").decode()
    told = "source Ensembl, release 111, assembly GRCh38, salmon version 1.10.1"
    assert f"- 2 files: 0123456789ab, {told}\n- 2 files: not told\n" in text
    lock = json.loads(archive.read("compendium.lock.json"))
    assert lock["references"]["0123456789abcdef"]["release"] == "111"


def head_of(lake: Lake, asset: str, partition: str) -> Commit:
    head = lake.head(asset, partition)
    assert head is not None
    return head
