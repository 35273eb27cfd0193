"""BeadArray packages and the one gene of each probe: read as R reads them, every choice with its reason."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.illumina_annotation import GenePairs, string_array
from refinebio_assets.formats.illumina_genes import (
    ChoiceReason,
    GeneStanding,
    brainarray_appearances,
    choose_gene,
    read_gene_choices,
    resolve_genes,
)
from refinebio_assets.formats.illumina_package import read_bead_package
from refinebio_assets_tests.formats.illumina_making import chip_file, organism_file, package

FIRST, SECOND, THIRD = "ACGTA" * 10, "TTGCA" * 10, "GGGCC" * 10
PROBES = [
    ("ILMN_1", "101", 0),
    ("ILMN_2", "102", 0),
    ("ILMN_3", "101", 1),
    ("ILMN_3", "103", 1),
    ("ILMN_4", None, 0),
    ("ILMN_0", "999", 0),
]
DESCRIBED = [
    ("ILMN_2", "Perfect****", SECOND, "ENSG02"),
    ("ILMN_1", "Good", FIRST, "ENSG01; ENSG09"),
    ("ILMN_3", "Bad", THIRD, None),
    ("ILMN_4", None, None, "NA"),
    ("ILMN_5", "No match", "ACGT", ""),
]
GENES = [(1, "101"), (2, "102"), (3, "103")]
ENSEMBL = [(2, "ENSG22"), (1, "ENSG11"), (2, "ENSG21"), (2, "ENSG22"), (3, "ENSG33")]


@pytest.fixture
def chip(tmp_path: Path) -> Path:
    return chip_file(tmp_path / "illuminaHumanv9.sqlite", probes=PROBES, described=DESCRIBED)


@pytest.fixture
def organism(tmp_path: Path) -> Path:
    return organism_file(tmp_path / "org.Hs.eg.sqlite", GENES, ENSEMBL, "2020-May01")


def pairs_of(pairs: GenePairs | None, ids: pa.StringArray) -> list[tuple[str, str]]:
    assert pairs is not None
    return [(str(ids[row]), gene) for row, gene in zip(pairs.probes.tolist(), pairs.genes, strict=True)]


def test_a_source_package_is_read_with_sequences_qualities_and_genes(
    chip: Path, organism: Path, tmp_path: Path
) -> None:
    packed = package(
        tmp_path / "illuminaHumanv9.db_1.26.0.tar.gz",
        chip,
        "illuminaHumanv9.db/inst/extdata/illuminaHumanv9.sqlite",
    )
    genes = package(tmp_path / "org.tar.gz", organism, "org.Hs.eg.db/inst/extdata/org.Hs.eg.sqlite")
    found = read_bead_package(packed, genes)
    assert len(found) == 6
    assert found.probe_ids.to_pylist() == ["ILMN_2", "ILMN_1", "ILMN_3", "ILMN_4", "ILMN_5", "ILMN_0"]
    assert found.quality.to_pylist() == ["Perfect****", "Good", "Bad", None, "No match", None]
    assert found.sequences.dtype == np.uint8 and found.sequences.shape == (6, 50)
    assert [row.tobytes().decode() for row in found.sequences[:3]] == [SECOND, FIRST, THIRD]
    assert not found.sequences[3:].any() and found.has_sequence.tolist() == [True] * 3 + [False] * 3
    assert found.odd_sequences == 1
    assert pairs_of(found.gene_pairs, found.probe_ids) == [
        ("ILMN_2", "ENSG21"),
        ("ILMN_2", "ENSG22"),
        ("ILMN_1", "ENSG11"),
    ]
    assert found.gene_pairs is not None and found.gene_pairs.release == "2020-May01"


def test_probes_of_several_entrez_genes_have_no_gene_as_in_r(chip: Path, organism: Path) -> None:
    found = read_bead_package(chip, organism)
    marked = [str(each) for each in found.probe_ids.filter(pa.array(found.several_entrez.tolist()))]
    assert marked == ["ILMN_3"]
    assert "ILMN_3" not in dict(pairs_of(found.gene_pairs, found.probe_ids))


def test_detection_compares_the_probe_table_and_not_the_re_annotation(chip: Path) -> None:
    listed = read_bead_package(chip).listed_ids().to_pylist()
    assert listed == ["ILMN_2", "ILMN_1", "ILMN_3", "ILMN_4", "ILMN_0"]


def test_without_the_organisms_package_there_are_only_re_annotated_genes(chip: Path) -> None:
    found = read_bead_package(chip)
    assert found.gene_pairs is None
    assert pairs_of(found.reannotated_pairs, found.probe_ids) == [
        ("ILMN_2", "ENSG02"),
        ("ILMN_1", "ENSG01"),
        ("ILMN_1", "ENSG09"),
    ]


def test_a_package_that_has_the_organisms_tables_needs_no_other(chip: Path, organism: Path) -> None:
    alone = read_bead_package(chip, organism)
    with closing(sqlite3.connect(chip)) as database:
        database.execute("ATTACH DATABASE ? AS organism", (str(organism),))
        for table in ("genes", "ensembl"):
            database.execute(f"CREATE TABLE main.{table} AS SELECT * FROM organism.{table}")
        database.commit()
    found = read_bead_package(chip)
    assert found.gene_pairs is not None and alone.gene_pairs is not None
    assert found.gene_pairs.genes == alone.gene_pairs.genes


def test_sequences_come_as_texts_for_the_model(chip: Path) -> None:
    found = read_bead_package(chip)
    assert found.sequence_texts(np.array([1, 3, 0])).to_pylist() == [FIRST, "", SECOND]
    assert found.sequence_texts(np.array([], np.intp)).to_pylist() == []


def test_reading_a_package_imports_neither_pandas_nor_dagster(chip: Path, organism: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from refinebio_assets.formats.illumina_package import read_bead_package as read; "
        "from refinebio_assets.formats.illumina_genes import resolve_genes; "
        "from refinebio_assets.methods.platform_detection import detect_platform; "
        "found = read(Path(sys.argv[1]), Path(sys.argv[2])); "
        "resolve_genes(found.gene_pairs, found.probe_ids, choices={'ILMN_2': 'ENSG21'}); "
        "assert detect_platform(found.probe_ids, {'a': found.listed_ids()}).passed; "
        "assert not {'pandas', 'dagster'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(chip), str(organism)], check=True)


@pytest.mark.parametrize("extra", [("ILMN_1", "Bad", FIRST, "ENSG01"), ("ILMN_1", "Good", SECOND, "ENSG01")])
def test_a_probe_described_twice_in_different_ways_is_an_error(
    tmp_path: Path, extra: tuple[str, str, str, str]
) -> None:
    first = ("ILMN_1", "Good", FIRST, "ENSG01")
    same = chip_file(tmp_path / "same.sqlite", probes=PROBES, described=[first, first])
    assert len(read_bead_package(same)) == 5
    file = chip_file(tmp_path / "differs.sqlite", probes=PROBES, described=[first, extra])
    with pytest.raises(FormatError, match=r"differs\.sqlite, probe ILMN_1: expected one row in ExtraInfo"):
        read_bead_package(file)


def test_a_package_without_the_re_annotation_names_the_tables_it_has(organism: Path) -> None:
    with pytest.raises(FormatError, match=r"expected the table probes, found ensembl, genes, metadata"):
        read_bead_package(organism)


def test_an_organisms_package_that_is_none_is_named(chip: Path) -> None:
    with pytest.raises(FormatError, match=r"illuminaHumanv9\.sqlite: expected the table genes"):
        read_bead_package(chip, chip)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE probes (probe_id TEXT, _id INTEGER)")
        database.commit()
    with pytest.raises(
        FormatError, match=r"table probes: expected the columns gene_id, is_multiple, found _id"
    ):
        read_bead_package(file)


def test_probes_without_any_50_mer_are_an_error(tmp_path: Path) -> None:
    file = chip_file(tmp_path / "short.sqlite", probes=PROBES, described=[("ILMN_1", "Good", "ACGT", None)])
    with pytest.raises(
        FormatError, match=r"expected probes of 50 bases in ProbeSequence, found none; .*'ACGT'"
    ):
        read_bead_package(file)
    empty = chip_file(tmp_path / "empty.sqlite", probes=[], described=[])
    with pytest.raises(FormatError, match=r"expected probes in the table ExtraInfo, found none"):
        read_bead_package(empty)


def test_what_is_no_package_or_damaged_is_an_error(chip: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.tar.gz"
    page.write_bytes(b"<html>not found</html>")
    with pytest.raises(FormatError, match=r"expected an SQLite file, or a package with one, found '<html>"):
        read_bead_package(page)
    cut = tmp_path / "cut.sqlite"
    cut.write_bytes(chip.read_bytes()[:9000])
    with pytest.raises(FormatError, match=r"cut\.sqlite: expected a sound SQLite file, found damage"):
        read_bead_package(cut)
    other = package(tmp_path / "other.tar.gz", chip, "illuminaHumanv9.db/R/zzz.R")
    with pytest.raises(FormatError, match=r"other\.tar\.gz: expected one file whose path fits"):
        read_bead_package(other)
    with pytest.raises(NotFoundError):
        read_bead_package(tmp_path / "absent.tar.gz")


STANDING = GeneStanding(
    appearances={"ENSG1": 3, "ENSG2": 3, "ENSG3": 1, "ENSG8": 5},
    valid={"ENSG1", "ENSG2", "ENSG3", "ENSG4", "ENSG5", "ENSG6"},
    primary={"ENSG2", "ENSG5", "ENSG6"},
)


@pytest.mark.parametrize(
    ("candidates", "gene", "reason"),
    [
        (["ENSG1", "ENSG3"], "ENSG1", ChoiceReason.BRAINARRAY),
        (["ENSG4", "ENSG3"], "ENSG3", ChoiceReason.BRAINARRAY),
        (["ENSG8", "ENSG1"], "ENSG8", ChoiceReason.BRAINARRAY),
        (["ENSG2", "ENSG1"], "ENSG2", ChoiceReason.PRIMARY),
        (["ENSG1", "ENSG2", "ENSG5"], "ENSG2", ChoiceReason.PRIMARY),
        (["ENSG0", "ENSG4"], "ENSG4", ChoiceReason.VALID),
        (["ENSG0", "ENSG7"], None, ChoiceReason.NONE_VALID),
        (["ENSG4", "ENSG5"], "ENSG5", ChoiceReason.PRIMARY),
        (["ENSG6", "ENSG5", "ENSG4"], "ENSG5", ChoiceReason.LOWEST),
    ],
)
def test_the_documented_priority_decides_among_several_genes(
    candidates: list[str], gene: str | None, reason: ChoiceReason
) -> None:
    assert choose_gene(candidates, STANDING) == (gene, reason)


def test_off_the_primary_assembly_the_lowest_valid_id_is_taken() -> None:
    standing = GeneStanding({}, valid={"ENSG4", "ENSG3"}, primary=())
    assert choose_gene(["ENSG4", "ENSG3", "ENSG0"], standing) == ("ENSG3", ChoiceReason.LOWEST)


def test_a_probe_has_its_only_gene_or_the_stored_choice_or_what_the_priority_says() -> None:
    probes = np.array([0, 1, 1, 2, 2, 3, 3])
    pairs = GenePairs(probes, ("ENSG0", "ENSG1", "ENSG2", "ENSG1", "ENSG3", "ENSG4", "ENSG5"))
    ids = string_array(["a", "b", "c", "d", "e"])
    choices = {"a": "ENSG9", "b": "ENSG1", "c": ""}
    found = resolve_genes(pairs, ids, choices=choices, standing=STANDING)
    assert found.genes.to_pylist() == ["ENSG0", "ENSG1", None, "ENSG5", None]
    assert found.reasons == (
        ChoiceReason.ONLY,
        ChoiceReason.STORED,
        ChoiceReason.STORED_NONE,
        ChoiceReason.PRIMARY,
        ChoiceReason.NO_GENE,
    )
    assert found.counts()[ChoiceReason.STORED] == 1 and sum(found.counts().values()) == 5


def test_without_a_choice_and_without_a_standing_a_probe_of_several_genes_has_none() -> None:
    found = resolve_genes(GenePairs(np.array([0, 0]), ("ENSG1", "ENSG2")), string_array(["a"]))
    assert found.genes.to_pylist() == [None] and found.reasons == (ChoiceReason.UNDECIDED,)


def test_a_gene_counts_once_in_each_brainarray_table() -> None:
    tables = [["ENSG1_at", "ENSG1_at", "AFFX-BioB_at"], ["ENSG1", "ENSG2_at"], ["ENSMUSG1_at"]]
    assert brainarray_appearances(tables) == {"ENSG1": 2, "ENSG2": 1, "ENSMUSG1": 1}


def test_a_choice_table_is_read_with_its_probes_that_shall_have_no_gene(tmp_path: Path) -> None:
    file = tmp_path / "illuminaRatv1.tsv"
    file.write_text(
        "probe_id\tensembl_id\nILMN_1\tENSRNOG1\nILMN_2\t\nILMN_3\nILMN_4\tNA\r\n\nILMN_1\tENSRNOG1\n"
    )
    assert read_gene_choices(file) == {"ILMN_1": "ENSRNOG1", "ILMN_2": "", "ILMN_3": "", "ILMN_4": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"line 1: expected the header probe_id ensembl_id, found an empty file"),
        (b"probe\tgene\n", r"line 1: expected the header .* found 'probe\\tgene'"),
        (b"probe_id\tensembl_id\na\tb\tc\n", r"line 2: expected a probe and its Ensembl id"),
        (b"probe_id\tensembl_id\n\tENSG1\n", r"line 2: expected a probe and its Ensembl id"),
        (b"probe_id\tensembl_id\na\tENSG1\na\tENSG2\n", r"line 3: expected one choice for a, found 'ENSG1'"),
        (b"probe_id\tensembl_id\na\t\xff\n", r"line 2: expected UTF-8 text"),
    ],
    ids=["empty", "header", "fields", "no probe", "two choices", "encoding"],
)
def test_a_choice_table_that_is_none_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "choices.tsv"
    file.write_bytes(content)
    with pytest.raises(FormatError, match=r"choices\.tsv, " + message):
        read_gene_choices(file)
    with pytest.raises(NotFoundError):
        read_gene_choices(tmp_path / "absent.tsv")
