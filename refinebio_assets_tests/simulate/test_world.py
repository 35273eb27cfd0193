from __future__ import annotations

import gzip
import re
import shutil
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from refinebio_assets.domain import Technology
from refinebio_assets.errors import FormatError, RequestError
from refinebio_assets.simulate.world import World, read_truth, simulate_world
from refinebio_assets.sources.sample_sheet import read_sample_sheet
from refinebio_assets.tools.salmon import build_index, index_kmer, quantify

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


@dataclass
class Feature:
    """One line of the GTF, read without any code of the project."""

    chromosome: str
    kind: str
    start: int
    end: int
    strand: str
    attributes: dict[str, str]


def text_of(file: Path) -> str:
    return gzip.decompress(file.read_bytes()).decode()


def read_gtf(file: Path) -> list[Feature]:
    features = []
    for line in text_of(file).splitlines():
        if not line.startswith("#"):
            chromosome, _, kind, start, end, _, strand, _, text = line.split("\t")
            attributes = dict(re.findall(r'(\w+) "([^"]*)";', text))
            features.append(Feature(chromosome, kind, int(start), int(end), strand, attributes))
    return features


def read_chromosomes(file: Path) -> dict[str, str]:
    records = text_of(file).split(">")[1:]
    return {record.split()[0]: "".join(record.split("\n")[1:]) for record in records}


@pytest.fixture(scope="session")
def features(world: World) -> list[Feature]:
    return read_gtf(world.gtf)


@pytest.fixture(scope="session")
def transcripts(world: World, features: list[Feature]) -> dict[str, str]:
    """Spliced sequences by transcript, made from the two files."""
    chromosomes = read_chromosomes(world.genome)
    sequences: dict[str, str] = {}
    for exon in (feature for feature in features if feature.kind == "exon"):
        bases = chromosomes[exon.chromosome][exon.start - 1 : exon.end]
        bases = bases if exon.strand == "+" else bases.translate(COMPLEMENT)[::-1]
        name = exon.attributes["transcript_id"]
        sequences[name] = sequences.get(name, "") + bases
    return sequences


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_one_seed_gives_the_same_bytes_twice(world: World, tmp_path: Path) -> None:
    again = simulate_world(tmp_path / "another name")
    assert contents(again.folder) == contents(world.folder)


def test_another_seed_gives_another_world(world: World, tmp_path: Path) -> None:
    other = simulate_world(tmp_path / "world", seed=21)
    assert other.genome.read_bytes() != world.genome.read_bytes()


def test_exons_lie_inside_their_transcripts_and_chromosomes(world: World, features: list[Feature]) -> None:
    chromosomes = read_chromosomes(world.genome)
    assert {feature.kind for feature in features} == {"gene", "transcript", "exon"}
    spans = {
        feature.attributes["transcript_id"]: feature for feature in features if feature.kind == "transcript"
    }
    for exon in (feature for feature in features if feature.kind == "exon"):
        span = spans[exon.attributes["transcript_id"]]
        assert span.start <= exon.start <= exon.end <= span.end <= len(chromosomes[span.chromosome])
        assert (exon.chromosome, exon.strand) == (span.chromosome, span.strand)
        assert exon.attributes["gene_id"] == span.attributes["gene_id"]


def test_exons_are_numbered_from_the_5_prime_end(features: list[Feature]) -> None:
    exons: dict[str, list[Feature]] = {}
    for feature in features:
        if feature.kind == "exon":
            exons.setdefault(feature.attributes["transcript_id"], []).append(feature)
    for own in exons.values():
        assert [int(exon.attributes["exon_number"]) for exon in own] == list(range(1, len(own) + 1))
        starts = [exon.start if exon.strand == "+" else -exon.end for exon in own]
        assert starts == sorted(starts)


def test_introns_have_the_splice_sites_of_their_strand(world: World, features: list[Feature]) -> None:
    chromosomes = read_chromosomes(world.genome)
    exons = [feature for feature in features if feature.kind == "exon"]
    introns = 0
    for one, other in pairwise(exons):
        name = one.attributes["transcript_id"]
        # Variants may join or cut exons; the first variant of each gene has every intron.
        if other.attributes["transcript_id"] != name or not name.endswith("1"):
            continue
        left, right = (one, other) if one.strand == "+" else (other, one)
        intron = chromosomes[one.chromosome][left.end : right.start - 1]
        intron = intron if one.strand == "+" else intron.translate(COMPLEMENT)[::-1]
        assert (intron[:2], intron[-2:]) == ("GT", "AG")
        introns += 1
    assert introns > 300


def test_there_are_genes_of_every_kind_that_an_index_must_cope_with(
    features: list[Feature], transcripts: dict[str, str]
) -> None:
    genes = [feature for feature in features if feature.kind == "gene"]
    biotypes = [gene.attributes["gene_biotype"] for gene in genes]
    assert biotypes.count("protein_coding") == 120
    assert sum(biotype.endswith("pseudogene") for biotype in biotypes) == 10
    assert {gene.strand for gene in genes} == {"+", "-"}
    assert {gene.chromosome for gene in genes} == {"1", "2", "3"}
    assert all(re.fullmatch(r"ENSSIMG\d{11}", gene.attributes["gene_id"]) for gene in genes)
    variants = [feature.attributes["gene_id"] for feature in features if feature.kind == "transcript"]
    assert {variants.count(gene.attributes["gene_id"]) for gene in genes} == {1, 2, 3, 4}
    assert sum(len(bases) < 31 for bases in transcripts.values()) == 2
    assert len(transcripts) - len(set(transcripts.values())) == 1
    assert set("".join(transcripts.values())) == set("ACGT")


def test_the_sheet_describes_samples_whose_files_are_there(world: World) -> None:
    experiments = read_sample_sheet(world.sample_sheet)
    assert tuple(experiment.accession for experiment in experiments) == world.experiments
    assert [len(experiment.samples) for experiment in experiments] == [6, 4]
    for experiment in experiments:
        assert experiment.title
        assert experiment.organisms == [world.organism] == ["SIMULATUM_DEMONSTRANS"]
        assert experiment.technologies == [Technology.RNA_SEQ]
        for sample in experiment.samples:
            assert all(Path(file.location).is_file() for file in sample.files)
            assert len(sample.metadata) >= 6


def test_the_two_experiments_need_the_two_indices(world: World) -> None:
    kmers = []
    for experiment in read_sample_sheet(world.sample_sheet):
        lines = text_of(Path(experiment.samples[0].files[0].location)).splitlines()
        kmers.append(index_kmer(float(np.mean([len(read) for read in lines[1::4]]))))
    assert kmers == [31, 23]


def test_reads_come_from_the_transcripts_that_are_said_to_be_expressed(
    world: World, transcripts: dict[str, str]
) -> None:
    rows = [row for row in read_truth(world.truth) if row.sample == "SRR90000001" and row.fragments]
    expressed = "N".join(transcripts[row.transcript] for row in rows)
    strands = expressed + "N" + expressed.translate(COMPLEMENT)[::-1]
    reads = text_of(world.folder / "reads" / "SRR90000001_1.fastq.gz").splitlines()[1::4]
    found = np.mean([read in strands for read in reads[:300]])
    # 0.5 % of bases are wrong: 61 % of reads of 100 bases have no error, and 3 % of reads are noise.
    assert found == pytest.approx(0.97 * 0.995**100, abs=0.1)


def test_mates_belong_together_and_qualities_mark_the_errors(world: World) -> None:
    first, second = (
        text_of(world.folder / "reads" / f"SRR90000002_{mate}.fastq.gz").splitlines() for mate in (1, 2)
    )
    assert first[::4] == second[::4]
    assert len(set(first[::4])) == len(first) // 4 == 30_000
    assert {len(line) for line in first[1::4]} == {len(line) for line in first[3::4]} == {100}
    poor = "".join(first[3::4]).count(",")
    assert poor / (100 * 30_000) == pytest.approx(0.005, rel=0.05)


def test_differential_genes_differ_between_the_groups(world: World) -> None:
    counts = world.gene_counts()
    rows = [line.split("\t") for line in world.differential_genes.read_text().splitlines()[1:]]
    expected, seen = [], []
    for experiment, gene, change in rows:
        groups = [[f"SRR9000000{number}" for number in group] for group in ((1, 2, 3), (4, 5, 6))]
        before, after = (np.mean([counts[sample][gene] for sample in group]) for group in groups)
        if experiment == "SRP900001" and before >= 100 and after >= 100:
            expected.append(float(change))
            seen.append(np.log2(after / before))
    assert len(expected) >= 8
    assert np.corrcoef(expected, seen)[0, 1] > 0.95


def test_salmon_finds_the_true_abundances(
    world: World, features: list[Feature], transcripts: dict[str, str], tmp_path: Path
) -> None:
    if shutil.which("salmon") is None:
        pytest.skip("Salmon is not installed: apt-get install salmon")
    fasta = tmp_path / "transcripts.fa"
    fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in transcripts.items()))
    index = build_index(fasta, tmp_path / "index", kmer=31, threads=2)
    run = quantify(
        index.folder,
        tmp_path / "quantification",
        fastq_1=world.folder / "reads" / "SRR90000001_1.fastq.gz",
        fastq_2=world.folder / "reads" / "SRR90000001_2.fastq.gz",
        threads=2,
        expected_reads=30_000,
    )
    assert run.library_type == "IU"
    assert run.mapping_rate == pytest.approx(0.97, abs=0.01)
    rows = [line.split("\t") for line in run.quant_sf.read_text().splitlines()[1:]]
    found_tpm = {row[0]: float(row[3]) for row in rows}
    found_reads = {row[0]: float(row[4]) for row in rows}
    truth = [row for row in read_truth(world.truth) if row.sample == "SRR90000001"]
    # Fewer fragments do not tell splice variants of one gene from each other.
    expressed = [row for row in truth if row.fragments >= 100]
    assert len(expressed) > 50
    estimates = [found_tpm[row.transcript] for row in expressed]
    assert spearmanr([row.tpm for row in expressed], estimates)[0] > 0.95
    genes: dict[str, float] = {}
    for row in truth:
        genes[row.gene] = genes.get(row.gene, 0.0) + found_reads.get(row.transcript, 0.0)
    true_genes = {gene: count for gene, count in world.gene_counts()["SRR90000001"].items() if count >= 10}
    assert len(true_genes) > 80
    assert spearmanr(list(true_genes.values()), [genes[gene] for gene in true_genes])[0] > 0.99


def test_a_complete_world_is_used_again(world: World) -> None:
    said: list[str] = []
    before = {path: path.stat().st_mtime_ns for path in world.folder.rglob("*")}
    assert simulate_world(world.folder, progress=said.append) == world
    assert {path: path.stat().st_mtime_ns for path in world.folder.rglob("*")} == before
    assert said == [f"the world in {world.folder} is complete"]


@pytest.fixture
def copy(world: World, tmp_path: Path) -> World:
    shutil.copytree(world.folder, tmp_path / "world")
    return World(tmp_path / "world", world.organism, world.experiments)


def test_a_damaged_world_is_made_anew(world: World, copy: World) -> None:
    copy.truth.unlink()
    assert contents(simulate_world(copy.folder).folder) == contents(world.folder)


def test_a_world_of_another_seed_is_replaced(copy: World) -> None:
    before = copy.genome.read_bytes()
    assert simulate_world(copy.folder, seed=21).genome.read_bytes() != before
    assert [path.name for path in copy.folder.parent.iterdir()] == ["world"]


def test_files_of_others_are_never_replaced(copy: World) -> None:
    (copy.folder / "notes.txt").write_text("mine")
    with pytest.raises(RequestError, match=r"holds what is no part of a simulated world \(notes\.txt\)"):
        simulate_world(copy.folder)
    assert (copy.folder / "notes.txt").read_text() == "mine"


def test_an_interrupted_simulation_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(task: str) -> None:
        if "SRP900002" in task:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_world(tmp_path / "world", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_something_else_is_not_taken_for_the_truth(tmp_path: Path) -> None:
    (tmp_path / "truth.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(FormatError, match="expected sample, gene, transcript, tpm, fragments"):
        read_truth(tmp_path / "truth.tsv")
