from __future__ import annotations

import gzip
import json
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from refinebio_assets.errors import (
    FormatError,
    NotFoundError,
    RequestError,
    ToolError,
    ToolKilledError,
    ToolMissingError,
)
from refinebio_assets.tools.process import run_program
from refinebio_assets.tools.salmon import (
    SalmonIndex,
    SalmonRun,
    build_index,
    index_kmer,
    quantify,
    salmon_version,
)

needs_salmon = pytest.mark.skipif(
    shutil.which("salmon") is None, reason="Salmon is not installed: apt-get install salmon"
)

READS = 1_000
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def sequence(rng: random.Random, length: int) -> str:
    return "".join(rng.choice("ACGT") for _ in range(length))


def write_reads(folder: Path, transcripts: list[str]) -> tuple[Path, Path]:
    """Write pairs of 2 x 60 bases from both strands, compressed, under names that do not tell."""
    rng = random.Random(5)
    lines: tuple[list[str], list[str]] = ([], [])
    for number in range(READS):
        transcript = rng.choice(transcripts)
        length = rng.randint(150, 250)
        start = rng.randint(0, len(transcript) - length)
        fragment = transcript[start : start + length]
        mates = [fragment[:60], fragment[-60:].translate(COMPLEMENT)[::-1]]
        rng.shuffle(mates)
        for mate, mate_lines in zip(mates, lines, strict=True):
            mate_lines.append(f"@read{number}\n{mate}\n+\n{'I' * 60}\n")
    files = (folder / "0a1b2c", folder / "3d4e5f")
    for file, mate_lines in zip(files, lines, strict=True):
        file.write_bytes(gzip.compress("".join(mate_lines).encode(), mtime=0))
    return files


class World:
    """Two transcripts that are read, and every kind that Salmon treats in its own way."""

    def __init__(self, folder: Path) -> None:
        rng = random.Random(4)
        expressed = [sequence(rng, 700), sequence(rng, 900)]
        short = sequence(rng, 31)
        self.transcripts = folder / "transcripts"
        self.records = {
            "first": expressed[0],
            "second": expressed[1],
            "silent": sequence(rng, 500),
            "copy": expressed[0],
            "length31": short,
            "mostly_tail": short[:20] + "A" * 60,
            "all_tail": "A" * 100,
            "length32": sequence(rng, 32),
        }
        text = "".join(f">{name} a note\n{bases}\n" for name, bases in self.records.items())
        self.transcripts.write_bytes(gzip.compress(text.encode(), mtime=0))
        self.fastq_1, self.fastq_2 = write_reads(folder, expressed)
        self.index = build_index(self.transcripts, folder / "indices" / "long", kmer=31, threads=1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("salmon"))


def counts(quant_sf: Path) -> dict[str, float]:
    rows = [line.split("\t") for line in quant_sf.read_text().splitlines()[1:]]
    return {row[0]: float(row[4]) for row in rows}


@needs_salmon
def test_the_version_is_that_of_the_installed_program() -> None:
    assert f"salmon {salmon_version()}" == run_program(["salmon", "--version"]).stdout_tail.strip()


def test_a_missing_salmon_says_how_to_install_it() -> None:
    with pytest.raises(
        ToolMissingError, match="apt-get install salmon, or: conda install -c bioconda salmon"
    ):
        salmon_version("no-such-salmon")


def test_another_program_is_not_taken_for_salmon() -> None:
    with pytest.raises(ToolError, match="not 'salmon' and a version"):
        salmon_version("true")


@pytest.mark.parametrize(("mean", "kmer"), [(36, 23), (75, 23), (75.01, 31), (150, 31)])
def test_reads_longer_than_75_bases_use_the_index_of_31(mean: float, kmer: int) -> None:
    assert index_kmer(mean) == kmer


@needs_salmon
def test_an_index_tells_which_transcripts_it_holds(world: World) -> None:
    index = world.index
    assert index.kmer == 31
    assert index.duplicates == (("copy", "first"),)
    assert index.too_short == ("length31", "mostly_tail")
    assert index.clipped_away == ("all_tail",)
    assert index.transcripts == len(world.records) - 2
    assert "index -t" in index.command
    assert index.version == salmon_version()
    assert len(index.sequence_hash) == len(index.name_hash) == 64


@needs_salmon
def test_an_index_of_smaller_k_counts_the_same_transcripts(world: World, tmp_path: Path) -> None:
    index = build_index(world.transcripts, tmp_path / "short", kmer=23, threads=1)
    assert (index.kmer, index.transcripts) == (23, world.index.transcripts)
    assert index.too_short == ("mostly_tail",)


@needs_salmon
def test_two_builds_hold_the_same_sequences(world: World, tmp_path: Path) -> None:
    again = build_index(world.transcripts, tmp_path / "again", kmer=31, threads=2)
    assert (again.sequence_hash, again.name_hash) == (world.index.sequence_hash, world.index.name_hash)


@needs_salmon
@pytest.mark.parametrize("text", ["", ">a\nACGT\n", "Name\tLength\nno\t1\n"])
def test_a_file_without_a_usable_transcript_makes_no_index(tmp_path: Path, text: str) -> None:
    file = tmp_path / "transcripts.fa"
    file.write_text(text)
    with pytest.raises(ToolError, match="holds no transcript longer than k = 31 bases") as caught:
        build_index(file, tmp_path / "index", kmer=31, threads=1)
    assert caught.value.permanent


@needs_salmon
def test_an_even_k_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="k must be an odd value, you chose 30"):
        build_index(world.transcripts, tmp_path / "index", kmer=30, threads=1)


@pytest.fixture(scope="module")
def paired_run(world: World, tmp_path_factory: pytest.TempPathFactory) -> SalmonRun:
    folder = tmp_path_factory.mktemp("paired") / "quantification"
    return quantify(
        world.index.folder,
        folder,
        fastq_1=world.fastq_1,
        fastq_2=world.fastq_2,
        threads=1,
        expected_reads=READS,
    )


@needs_salmon
def test_compressed_pairs_whose_names_do_not_tell_are_quantified(paired_run: SalmonRun) -> None:
    assert (paired_run.reads_processed, paired_run.reads_mapped) == (READS, READS)
    assert paired_run.mapping_rate == 1.0
    assert paired_run.library_type == "IU"
    assert paired_run.mean_fragment_length == pytest.approx(200, abs=5)
    assert paired_run.version == salmon_version()
    assert 0 <= (datetime.now(UTC) - paired_run.started_at).total_seconds() < 600
    found = counts(paired_run.quant_sf)
    assert sum(found.values()) == pytest.approx(READS, abs=0.1)
    assert found["first"] == pytest.approx(READS / 2, rel=0.15)
    assert found["silent"] == found["mostly_tail"] == 0


@needs_salmon
def test_a_quantification_has_a_row_for_each_transcript_of_the_index(
    world: World, paired_run: SalmonRun
) -> None:
    removed = {name for name, _ in world.index.duplicates} | set(world.index.clipped_away)
    assert list(counts(paired_run.quant_sf)) == [name for name in world.records if name not in removed]


@needs_salmon
def test_pairs_get_every_bias_model(paired_run: SalmonRun) -> None:
    assert paired_run.command.startswith(
        "salmon --no-version-check quant -l A --seqBias --dumpEq --writeUnmappedNames --gcBias -i "
    )
    assert " -1 reads_1.fastq.gz -2 reads_2.fastq.gz -p 1 -o " in paired_run.command
    meta = json.loads((paired_run.quant_sf.parent / "aux_info" / "meta_info.json").read_text())
    assert meta["seq_bias_correct"]
    assert meta["gc_bias_correct"]
    assert (paired_run.quant_sf.parent / "aux_info" / "eq_classes.txt.gz").is_file()


@needs_salmon
def test_single_reads_get_no_gc_model_and_tell_no_fragment_length(world: World, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(gzip.decompress(world.fastq_1.read_bytes()))
    run = quantify(world.index.folder, tmp_path / "out", fastq_1=plain, fastq_2=None, threads=1)
    assert (run.library_type, run.mean_fragment_length, run.reads_processed) == ("U", None, READS)
    assert "--gcBias" not in run.command
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("reads-")] == []


@needs_salmon
def test_foreign_reads_name_how_few_mapped(world: World, tmp_path: Path) -> None:
    rng = random.Random(6)
    reads = [sequence(rng, 60) for _ in range(50)]
    reads += [world.records["first"][start : start + 60] for start in range(3)]
    file = tmp_path / "foreign"
    file.write_text("".join(f"@{number}\n{read}\n+\n{'I' * 60}\n" for number, read in enumerate(reads)))
    with pytest.raises(ToolError, match=r"3 of 53 reads of foreign mapped to the index .*/long") as caught:
        quantify(world.index.folder, tmp_path / "out", fastq_1=file, fastq_2=None, threads=1)
    assert "at least 10" in str(caught.value)


@needs_salmon
def test_a_cut_file_is_noticed_by_its_number_of_reads(world: World, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    whole = world.fastq_1.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ToolError, match=r"Salmon read \d+ of 1,000 reads of cut"):
        quantify(
            world.index.folder,
            tmp_path / "out",
            fastq_1=cut,
            fastq_2=world.fastq_2,
            threads=1,
            expected_reads=READS,
        )


@needs_salmon
@pytest.mark.parametrize("content", [b"", bytes(range(256)) * 40])
def test_a_file_of_something_else_is_refused_by_name(world: World, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "something"
    file.write_bytes(content)
    with pytest.raises(ToolError, match="something"):
        quantify(world.index.folder, tmp_path / "out", fastq_1=file, fastq_2=None, threads=1)


@needs_salmon
def test_an_index_that_is_not_there_is_named(world: World, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"no-index/versionInfo.json doesn't seem to exist"):
        quantify(tmp_path / "no-index", tmp_path / "out", fastq_1=world.fastq_1, fastq_2=None, threads=1)


def test_a_missing_file_is_named_before_salmon_starts(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"there is no file .*missing"):
        quantify(tmp_path, tmp_path / "out", fastq_1=tmp_path / "missing", fastq_2=None, threads=1)


def test_one_file_cannot_be_both_mates(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("@r\nA\n+\nI\n")
    (tmp_path / "same").symlink_to(tmp_path / "one")
    with pytest.raises(RequestError, match="both mates are the same file"):
        quantify(
            tmp_path,
            tmp_path / "out",
            fastq_1=tmp_path / "one",
            fastq_2=tmp_path / "same",
            threads=1,
        )


@needs_salmon
def test_a_stopped_quantification_is_a_transient_failure(world: World, tmp_path: Path) -> None:
    killed = tmp_path / "salmon"
    killed.write_text("#!/bin/sh\nkill -KILL $$\n")
    killed.chmod(0o755)
    with pytest.raises(ToolKilledError):
        quantify(
            world.index.folder,
            tmp_path / "out",
            fastq_1=world.fastq_1,
            fastq_2=None,
            threads=1,
            executable=str(killed),
        )


def test_output_that_is_not_salmons_is_a_format_error(tmp_path: Path) -> None:
    fake = tmp_path / "salmon"
    fake.write_text("#!/bin/sh\nmkdir -p index; echo '{}' > index/info.json\n")
    fake.chmod(0o755)
    (tmp_path / "transcripts.fa").write_text(">a\nACGT\n")
    with pytest.raises(FormatError, match=r"info\.json: expected JSON with k, SeqHash, NameHash"):
        build_index(tmp_path / "transcripts.fa", tmp_path / "index", kmer=31, threads=1, executable=str(fake))


@pytest.fixture(scope="session")
def chromosome_21(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> SalmonIndex:
    transcripts = shared_data / "rnaseq_human_chr21" / "transcripts.fa.gz"
    return build_index(transcripts, tmp_path_factory.mktemp("chr21") / "index", kmer=31, threads=2)


@needs_salmon
def test_real_human_reads_map_to_their_chromosome(
    shared_data: Path, chromosome_21: SalmonIndex, tmp_path: Path
) -> None:
    assert (chromosome_21.transcripts, len(chromosome_21.duplicates)) == (2_411, 46)
    assert chromosome_21.too_short == chromosome_21.clipped_away == ()
    folder = shared_data / "rnaseq_human_chr21"
    run = quantify(
        chromosome_21.folder,
        tmp_path / "out",
        fastq_1=folder / "sample_a_1.fastq.gz",
        fastq_2=folder / "sample_a_2.fastq.gz",
        threads=2,
        expected_reads=4_857,
    )
    assert run.library_type == "IU"
    assert run.reads_mapped == pytest.approx(1_154, abs=3)
    assert run.mapping_rate == run.reads_mapped / 4_857
    assert run.mean_fragment_length == pytest.approx(182, abs=10)
    assert len(counts(run.quant_sf)) == chromosome_21.transcripts
