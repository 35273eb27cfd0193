"""Files inside archives reach the samples they belong to, and no others."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from refinebio_assets.domain import (
    Experiment,
    FileRole,
    Sample,
    SourceFile,
    Technology,
)
from refinebio_assets.errors import AllFailedError
from refinebio_assets.pipelines.raw_files import collect_raw_files
from refinebio_assets_tests.pipelines.surveyed import ARRAY, SEQUENCER, World, fastq


def arrays_in(url: str, *names: str) -> tuple[Sample, ...]:
    """Return a sample for each name, whose file is a member of one archive."""
    return tuple(
        Sample(
            f"E-MTAB-1-{name}",
            "HOMO_SAPIENS",
            Technology.MICROARRAY,
            ARRAY,
            (SourceFile(FileRole.BEADARRAY, url, member=f"{name}.txt"),),
        )
        for name in names
    )


def test_members_of_one_archive_reach_their_samples_with_one_download(world: World) -> None:
    members = {"folder/a.txt": "cells of a", "folder/b.txt": "cells of b"}
    url = world.put_zip("E-MTAB-1.raw.1.zip", members)
    samples = arrays_in(url, "a", "b")
    world.experiment = Experiment("E-MTAB-1", "ARRAY_EXPRESS", samples)
    world.record()
    collect_raw_files(world.lake, "E-MTAB-1", web=world.web)
    rows = world.files()
    assert [(row["sample"], row["role"], row["member"], row["size"]) for row in rows] == [
        ("E-MTAB-1-a", "beadarray", "a.txt", 10),
        ("E-MTAB-1-b", "beadarray", "b.txt", 10),
    ]
    assert rows[0]["sha256"] == hashlib.sha256(b"cells of a").hexdigest()


def test_a_missing_member_names_the_archive_and_what_is_in_it(world: World) -> None:
    url = world.put_zip("E-MTAB-1.raw.1.zip", {"other.txt": "cells"})
    file = SourceFile(FileRole.BEADARRAY, url, member="a.txt")
    sample = Sample("E-MTAB-1-a", "HOMO_SAPIENS", Technology.MICROARRAY, ARRAY, (file,))
    world.experiment = Experiment("E-MTAB-1", "ARRAY_EXPRESS", (sample,))
    world.record()
    with pytest.raises(AllFailedError, match=r"a\.txt"):
        collect_raw_files(world.lake, "E-MTAB-1", web=world.web)
    assert "a.txt" in str(world.files()[0]["reason"])


def test_an_archive_without_one_members_file_still_serves_the_others(world: World) -> None:
    url = world.put_zip("E-MTAB-1.raw.1.zip", {"a.txt": "cells of a"})
    samples = arrays_in(url, "a", "b")
    world.experiment = Experiment("E-MTAB-1", "ARRAY_EXPRESS", samples)
    world.record()
    outcome = collect_raw_files(world.lake, "E-MTAB-1", web=world.web)
    assert [item.item for item in outcome.dropped] == ["E-MTAB-1-b"]
    assert "b.txt" in outcome.dropped[0].reason


def shared_archive(world: World, names: list[str], titles: list[str]) -> None:
    """Make an experiment whose samples all point to one archive of unknown members."""
    url = world.put_zip("E-MTAB-1.raw.1.zip", {name: f"values of {name}" for name in names})
    samples = tuple(
        Sample(
            f"E-MTAB-1-s{number}",
            "HOMO_SAPIENS",
            Technology.MICROARRAY,
            ARRAY,
            (SourceFile(FileRole.ARCHIVE, url),),
            title=title,
        )
        for number, title in enumerate(titles)
    )
    world.experiment = Experiment("E-MTAB-1", "ARRAY_EXPRESS", samples)
    world.record()


def test_of_a_shared_archive_each_sample_gets_the_file_that_is_named_after_it(world: World) -> None:
    shared_archive(world, ["s0_non-normalized.txt", "liver.non-normalized.txt", "other.txt"], ["a", "liver"])
    collect_raw_files(world.lake, "E-MTAB-1", web=world.web)
    assert [(row["sample"], row["member"]) for row in world.files()] == [
        ("E-MTAB-1-s0", "s0_non-normalized.txt"),
        ("E-MTAB-1-s1", "liver.non-normalized.txt"),
    ]


def test_no_sample_gets_anothers_file_from_a_shared_archive(world: World) -> None:
    shared_archive(world, ["x.txt", "y.txt"], ["a", "b"])
    with pytest.raises(
        AllFailedError, match=r"does not tell which file is this sample's: it holds x\.txt, y\.txt"
    ):
        collect_raw_files(world.lake, "E-MTAB-1", web=world.web)


def test_one_bad_member_of_an_archive_loses_only_its_sample(world: World) -> None:
    reads = {"good.fastq.gz": fastq(2, "g"), "bad.fastq.gz": fastq(2, "b")[:-9]}
    url = world.put_zip("reads.zip", reads)
    samples = tuple(
        Sample(
            f"SRR{name}",
            "DANIO_RERIO",
            Technology.RNA_SEQ,
            SEQUENCER,
            (SourceFile(FileRole.FASTQ_1, url, member=f"{name}.fastq.gz"),),
        )
        for name in ("good", "bad")
    )
    world.experiment = replace(world.experiment, samples=samples)
    world.record()
    outcome = collect_raw_files(world.lake, "SRP000001", web=world.web)
    assert [item.item for item in outcome.dropped] == ["SRRbad"]
