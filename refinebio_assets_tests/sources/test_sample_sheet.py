from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinebio_assets.domain import (
    Experiment,
    FileRole,
    Manufacturer,
    Platform,
    Sample,
    SourceFile,
    Technology,
    accession_problem,
)
from refinebio_assets.errors import NotFoundError, RefinebioError, RequestError
from refinebio_assets.sources.sample_sheet import COLUMNS, FILE_ROLES, read_sample_sheet

HEADER = "experiment,sample,organism,technology,platform,fastq_1,fastq_2,quant_sf,gene_map,cel"


def sheet(folder: Path, text: str | bytes, name: str = "samples.csv") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def problems(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(RequestError) as caught:
        read_sample_sheet(sheet(folder, text))
    assert f"sample sheet {folder / 'samples.csv'}" in str(caught.value)
    assert all(problem in str(caught.value) for problem in caught.value.problems)
    return caught.value.problems


def test_a_sheet_becomes_experiments_with_absolute_files_and_untouched_metadata(tmp_path: Path) -> None:
    file = sheet(
        tmp_path,
        "experiment,sample,organism,technology,platform,fastq_1,fastq_2,cel,Age (years),Sex\n"
        "E2,B,Homo sapiens,RNA-SEQ,Illumina HiSeq 2500,reads/b_1.fq.gz,reads/b_2.fq.gz,, 41 ,\n"
        "E2,A,homo_sapiens,,,../a.fq,,,7,Male\n"
        "E1,C,Mus musculus,microarray,mogene10st,,,/data/c.CEL,,female\n",
    )
    first, second = read_sample_sheet(file)
    assert [first.accession, second.accession] == ["E2", "E1"]
    assert first.source == "sample_sheet"
    assert first.samples[0] == Sample(
        accession="B",
        organism="HOMO_SAPIENS",
        technology=Technology.RNA_SEQ,
        platform=Platform(name="Illumina HiSeq 2500"),
        files=(
            SourceFile(FileRole.FASTQ_1, str(tmp_path / "reads" / "b_1.fq.gz")),
            SourceFile(FileRole.FASTQ_2, str(tmp_path / "reads" / "b_2.fq.gz")),
        ),
        metadata=(("Age (years)", " 41 "),),
    )
    assert first.samples[1].organism == "HOMO_SAPIENS"
    assert first.samples[1].files == (SourceFile(FileRole.FASTQ_1, str(tmp_path.parent / "a.fq")),)
    assert second.samples[0].technology == Technology.MICROARRAY
    assert second.samples[0].files[0].location == "/data/c.CEL"


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_spreadsheet_dialects_read_alike(
    tmp_path: Path, delimiter: str, encoding: str, line_end: str
) -> None:
    rows = [
        ["Experiment", "SAMPLE", "organism", "fastq-1", "Fastq 2", "note", "", ""],
        ["E", "S", "Danio rerio", "a.fq", "b.fq", "größer; or, not", "", ""],
        ["", "", "", "", "", "", "", ""],
        ["E", "T", "Danio rerio", "c.fq", "d.fq", "two\nlines", "", ""],
        ["", "", "", "", "", "", "", ""],
        [],
    ]
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if line_end == "\r" else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(rows)
    (experiment,) = read_sample_sheet(sheet(tmp_path, text.getvalue().encode(encoding)))
    assert [sample.accession for sample in experiment.samples] == ["S", "T"]
    assert [dict(sample.metadata)["note"] for sample in experiment.samples] == [
        "größer; or, not",
        "two\nlines",
    ]
    assert experiment.samples[0].files[1].role == FileRole.FASTQ_2


def test_a_tab_separated_sheet_may_have_commas_in_its_header(tmp_path: Path) -> None:
    text = "experiment\tsample\torganism\tcel\tage, sex, and, other, things, of, note\nE\tS\tX y\tc\t4\n"
    (experiment,) = read_sample_sheet(sheet(tmp_path, text))
    assert dict(experiment.samples[0].metadata) == {"age, sex, and, other, things, of, note": "4"}


def test_urls_stay_as_they_are_and_the_home_folder_is_filled_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    text = (
        f"{HEADER}\n"
        "E,S,X y,,,s3://bucket/a_1.fq.gz,https://host/x?y=a_2.fq.gz,,,\n"
        "E,T,X y,,,,,~/quant.sf,file:///map.tsv,\n"
    )
    (experiment,) = read_sample_sheet(sheet(tmp_path, text))
    locations = [file.location for sample in experiment.samples for file in sample.files]
    assert locations == [
        "s3://bucket/a_1.fq.gz",
        "https://host/x?y=a_2.fq.gz",
        "/home/ada/quant.sf",
        "file:///map.tsv",
    ]


@pytest.mark.parametrize("spelling", ["RNA-SEQ", "rnaseq", "RNA_Seq", "rna seq"])
def test_technology_is_read_in_any_spelling(tmp_path: Path, spelling: str) -> None:
    (experiment,) = read_sample_sheet(sheet(tmp_path, f"{HEADER}\nE,S,X y,{spelling},,a.fq,,,,\n"))
    assert experiment.technologies == [Technology.RNA_SEQ]


def test_titles_of_experiments_come_from_the_rows_that_have_them(tmp_path: Path) -> None:
    text = (
        "experiment,sample,organism,cel,experiment title,Experiment-Description,title\n"
        "E,S,X y,a,,Why not,one\n"
        "E,T,X y,b,A study,Why not,two\n"
    )
    (experiment,) = read_sample_sheet(sheet(tmp_path, text))
    assert (experiment.title, experiment.description) == ("A study", "Why not")
    assert [dict(sample.metadata) for sample in experiment.samples] == [{"title": "one"}, {"title": "two"}]


def test_contradicting_titles_name_both_lines(tmp_path: Path) -> None:
    text = "experiment,sample,organism,cel,experiment_title\nE,S,X y,a,One\nE,T,X y,b,Two\nF,U,X y,c,Three\n"
    assert problems(tmp_path, text) == ["line 3: the experiment_title of 'E' differs from line 2"]


def test_one_sample_may_be_in_two_experiments(tmp_path: Path) -> None:
    first, second = read_sample_sheet(
        sheet(tmp_path, f"{HEADER},sex\nE,S,X y,,,a.fq,,,,,m\nF,S,X_Y,rna-seq,,./a.fq,,,,,m\n")
    )
    assert first.samples == second.samples


def test_one_sample_in_two_experiments_must_be_the_same(tmp_path: Path) -> None:
    text = f"{HEADER},sex\nE,S,X y,,,a.fq,,,,,m\nF,S,X y,,,b.fq,,,,,f\n"
    assert problems(tmp_path, text) == ["line 3: the sample 'S' differs from line 2 in fastq_1, sex"]


def test_a_sample_that_is_there_twice_names_both_lines(tmp_path: Path) -> None:
    text = f"{HEADER}\nE,S,X y,,,a.fq,,,,\n\nE,S,X y,,,a.fq,,,,\n"
    assert problems(tmp_path, text) == ["line 4: the sample 'S' of 'E' is on line 2 too"]


def test_every_problem_of_a_sheet_is_told_at_once(tmp_path: Path) -> None:
    text = (
        f"{HEADER}\n"
        ",S/1,X y,,,a.fq,,,,\n"
        "E,S,,chip,,a.fq,a.fq,,,\n"
        "E,T,X y,,,,b.fq,,,\n"
        "E,U,X y,,,,,,map.tsv,\n"
        "E,V,X y,RNA-SEQ,,,,,,v.CEL\n"
        "E,W,X y,microarray,,w.fq,,w.sf,,\n"
        "..,X,a/b,,,,,,,\n"
    )
    assert problems(tmp_path, text) == [
        "line 2: the experiment is empty",
        "line 2: the sample 'S/1' contains /",
        "line 3: the organism is empty",
        "line 3: fastq_1 and fastq_2 are the same file",
        "line 3: the technology 'chip' is neither RNA-SEQ nor MICROARRAY",
        "line 4: there is no file: fastq_1, quant_sf, cel, beadarray or processed",
        "line 4: there is a fastq_2 but no fastq_1",
        "line 5: there is no file: fastq_1, quant_sf, cel, beadarray or processed",
        "line 5: there is a gene_map but no quant_sf",
        "line 6: the technology is RNA-SEQ, but cel holds MICROARRAY",
        "line 7: fastq_1 and quant_sf exclude each other",
        "line 7: the technology is MICROARRAY, but quant_sf holds RNA-SEQ",
        "line 8: the experiment '..' may not be '.' or contain '..'",
        "line 8: the organism 'A/B' contains /",
        "line 8: there is no file: fastq_1, quant_sf, cel, beadarray or processed",
    ]


def test_rows_of_another_width_name_their_lines(tmp_path: Path) -> None:
    text = f'{HEADER},note\nE,S,X y,,,a.fq,,,,,"two\nlines"\nE,T,X y,,,b.fq\nE,U,X y,,,c.fq,,,,,a,b,c\n'
    assert problems(tmp_path, text) == [
        "line 4: has 6 fields, the header 11",
        "line 5: has 13 fields, the header 11",
    ]


def test_a_near_miss_of_a_missing_column_is_suggested(tmp_path: Path) -> None:
    text = "experimnt,Sample_ID,species,fastq1,fastq2,age\nE,S,X y,a,b,4\n"
    assert problems(tmp_path, text) == [
        "there is no column 'experiment'; did you mean 'experimnt'?",
        "there is no column 'sample'; did you mean 'Sample_ID'?",
        "there is no column 'organism'; did you mean 'species'?",
        "there is no column of files: fastq_1, quant_sf, cel, beadarray, processed; did you mean 'fastq1'?",
        "the column 'fastq2' is not understood: did you mean 'fastq_2'?",
    ]


def test_a_misnamed_second_mate_does_not_silently_become_metadata(tmp_path: Path) -> None:
    text = "experiment,sample,organism,fastq_1,read2\nE,S,X y,a,b\n"
    assert problems(tmp_path, text) == ["the column 'read2' is not understood: did you mean 'fastq_2'?"]


def test_columns_that_are_there_twice_or_have_no_name_are_problems(tmp_path: Path) -> None:
    text = "experiment,sample,Sample,organism,,cel,age,age,Age\nE,S,S,X y,,c,1,2,3\n"
    assert problems(tmp_path, text) == [
        "column 5 has no name",
        "the column 'sample' is there 2 times",
        "the column 'age' is there 2 times",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n ,,\r\n", "is empty"),
        (HEADER.encode() + b"\n,,,,,,,,,\n", "has a header but no samples"),
        (
            HEADER.encode() + b"\nE,S,X y,,,a,,,,\nE,M\xe4x,X y,,,b,,,,\n",
            "line 3: is not UTF-8 text (byte 0xE4); save it as 'CSV UTF-8'",
        ),
        (b"PK\x03\x04rest", "is an Excel workbook, not text; save it as CSV or TSV"),
        (b"\x1f\x8b\x08", "is a compressed file, not text; save it as CSV or TSV"),
        (HEADER.encode() + b"\nE,S\0,", "line 2: holds a null character: it is not text"),
        (
            HEADER.encode() + b'\nE,S,X y,,,a,,,,\nE,"T,X y,,,b,,,,\nE,U,X y,,,c,,,,\n',
            "line 3: a quotation mark is opened here and never closed",
        ),
    ],
)
def test_a_file_that_is_no_table_says_what_it_is(tmp_path: Path, content: bytes, problem: str) -> None:
    assert problems(tmp_path, content) == [problem]


def test_a_missing_sheet_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no sample sheet"):
        read_sample_sheet(tmp_path / "none.csv")


def test_a_folder_is_not_a_sheet(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be read: Is a directory"):
        read_sample_sheet(tmp_path)


names = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), min_size=1, max_size=8
).filter(lambda text: accession_problem(text) is None)
values = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)
metadata_names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=6).map(
    lambda text: f"meta:{text}"
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Experiment], list[str]]:
    columns = draw(st.lists(metadata_names, unique=True, max_size=3))
    accessions = draw(st.lists(names, unique=True, min_size=1, max_size=6))
    samples = [draw(sample(accession, columns)) for accession in accessions]
    cuts = draw(st.integers(1, len(samples)))
    groups = [group for group in (samples[:cuts], samples[cuts:]) if group]
    experiments = [
        Experiment(f"E{number}", "sample_sheet", tuple(group), draw(values).strip(), draw(values).strip())
        for number, group in enumerate(groups)
    ]
    return experiments, columns


def sample(accession: str, columns: list[str]) -> st.SearchStrategy[Sample]:
    def build(kind: int, organism: str, platform: str, texts: list[str]) -> Sample:
        reads = ((FileRole.FASTQ_1, FileRole.FASTQ_2), (FileRole.QUANT_SF,))
        roles = (*reads, (FileRole.CEL,), (FileRole.BEADARRAY,), (FileRole.PROCESSED,))[kind]
        told = dict(zip(columns, texts, strict=True)) | ({"table_column": "S1"} if kind > 2 else {})
        return Sample(
            accession=accession,
            organism=organism,
            technology=Technology.MICROARRAY if kind >= 2 else Technology.RNA_SEQ,
            platform=Platform(
                name=platform.strip(),
                manufacturer=Manufacturer.ILLUMINA if kind == 3 else Manufacturer.UNKNOWN,
            ),
            files=tuple(SourceFile(role, f"/data/{accession.strip()}.{role.value}") for role in roles),
            metadata=tuple(sorted((name, text) for name, text in told.items() if text.strip())),
        )

    texts = st.lists(values, min_size=len(columns), max_size=len(columns))
    organisms = st.sampled_from(["HOMO_SAPIENS", "DANIO_RERIO"])
    return st.builds(build, st.integers(0, 4), organisms, values, texts)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds(), delimiter=st.sampled_from(",\t;"), encoding=st.sampled_from(["utf-8", "utf-16"]))
def test_what_is_written_is_what_is_read(
    tmp_path: Path, world: tuple[list[Experiment], list[str]], delimiter: str, encoding: str
) -> None:
    experiments, columns = world
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow([*COLUMNS, *columns])
    for experiment in experiments:
        for entry in experiment.samples:
            files = {file.role: file.location for file in entry.files}
            known = [experiment.accession, entry.accession, entry.organism, entry.technology]
            known.append(entry.platform.name)
            titles = [experiment.title, experiment.description]
            metadata = [dict(entry.metadata).get(name, "") for name in columns]
            column = dict(entry.metadata).get("table_column", "")
            writer.writerow(
                [*known, *(files.get(role, "") for role in FILE_ROLES), column, *titles, *metadata]
            )
    assert read_sample_sheet(sheet(tmp_path, text.getvalue().encode(encoding))) == experiments


cells = st.one_of(
    st.sampled_from([*COLUMNS, "E", "S", "Homo sapiens", "rna-seq", "a.fq", "~nobody/x", "~", '"', ""]),
    st.text(max_size=5),
)
tables = st.builds(
    lambda rows, delimiter, end: (end.join(delimiter.join(row) for row in rows)).encode(
        "utf-8", "surrogatepass"
    ),
    st.lists(st.lists(cells, max_size=12), max_size=5),
    st.sampled_from([",", "\t", ";"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
sheets = st.builds(lambda head, rest: f"{HEADER}\n".encode()[: 80 - head] + rest, st.integers(0, 1), tables)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=60), tables, sheets))
def test_no_content_gives_anything_but_experiments_or_a_readable_error(
    tmp_path: Path, content: bytes
) -> None:
    try:
        experiments = read_sample_sheet(sheet(tmp_path, content))
    except RefinebioError as error:
        assert str(error)
    else:
        assert experiments
        assert all(experiment.samples for experiment in experiments)
