"""Corrections: reading the table, what is wrong with it, and laying it over harmonized metadata."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.metadata.corrections import Correction, apply_corrections, read_corrections
from refinebio_assets.metadata.harmonize import harmonize
from refinebio_assets.metadata.harmonized import FieldSource, Harmonized

HEADER = "sample\tfield\tvalue\tsource\tnote\n"


def _written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "corrections.tsv"
    path.write_text(text, encoding=encoding)
    return path


def _problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(RequestError) as caught:
        read_corrections(_written(folder, text))
    return caught.value.problems


def test_a_table_is_read_in_any_column_order_and_encoding(tmp_path: Path) -> None:
    header, sex, age = "Field sample source value note", "sex GSM1 PMID:1 F ", "age GSM1 PMID:1 12_weeks ü"
    text = f"{header}\r\n{sex}\r\n\r\n{age}\r\n".replace(" ", "\t").replace("_", " ")
    expected = (
        Correction("GSM1", "sex", "F", "PMID:1", ""),
        Correction("GSM1", "age", "12 weeks", "PMID:1", "ü"),
    )
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert read_corrections(_written(tmp_path, text, encoding)) == expected


def test_a_table_without_rows_corrects_nothing(tmp_path: Path) -> None:
    assert read_corrections(_written(tmp_path, HEADER)) == ()


def test_every_problem_is_named_with_its_line(tmp_path: Path) -> None:
    rows = [
        "GSM1\tsex\tfemale\tPMID:1\t",
        "GSM1\tsex\tmale\tPMID:2\t",
        "GSM2\tTissue Part\tliver\tPMID:1\t",
        "GSM3\tspecimen part\tliver\tPMID:1\t",
        "GSM4\tage\tyoung\tPMID:1\t",
        "GSM5\tage\tnan\tPMID:1\t",
        "GSM6\tage_unit\tmoons\tPMID:1\t",
        "\tsex\tmale\t\t",
        "GSM7\tsex",
    ]
    problems = _problems(tmp_path, HEADER + "\n".join(rows) + "\n")
    for expected in [
        "line 3: sex of GSM1 is corrected in line 2 already",
        "line 4: unknown field 'Tissue Part'",
        "line 5: unknown field 'specimen part'; did you mean 'specimen_part'?",
        "line 6: 'young' is no age",
        "line 7: 'nan' is no age",
        "line 8: 'moons' is no unit of age",
        "line 9: the sample is empty",
        "line 9: the source is empty",
        "line 10: has 2 columns, the header has 5",
    ]:
        assert any(problem.startswith(expected) for problem in problems), expected
    assert len(problems) == 9


def test_missing_unknown_and_repeated_columns_are_named(tmp_path: Path) -> None:
    assert _problems(tmp_path, "sample\tfield\tvalue\tvalue\tcomment\n") == [
        "line 1: there is no column 'source'",
        "line 1: there is no column 'note'",
        "line 1: the column 'comment' is not understood; the columns are sample, field, value, source, note",
        "line 1: the column 'value' is there 2 times",
    ]


def test_what_is_no_table_is_told(tmp_path: Path) -> None:
    path = tmp_path / "corrections.tsv"
    with pytest.raises(NotFoundError, match="there is no corrections file"):
        read_corrections(path)
    for content, problem in [
        (b"", "is empty"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"sample\n\xe9\n", "line 2: is not UTF-8"),
        (b'sample\n"open\n', "line 2: cannot be read as a table"),
    ]:
        path.write_bytes(content)
        with pytest.raises(RequestError, match=problem):
            read_corrections(path)


def _corrected(sample: dict[str, object], **values: str) -> Harmonized:
    corrections = [Correction("S", field, value, "PMID:1", "table 2") for field, value in values.items()]
    return apply_corrections(harmonize(sample), corrections)


def test_a_correction_replaces_the_value_and_its_sources() -> None:
    corrected = _corrected({"sex": "M", "tissue": "liver"}, sex=" F", title="New Title")
    assert (corrected.sex, corrected.title, corrected.specimen_part) == ("female", "New Title", "liver")
    assert corrected.sources == (
        FieldSource("title", "New Title", "PMID:1", "table 2", "correction"),
        FieldSource("sex", "female", "PMID:1", "table 2", "correction"),
        FieldSource("specimen_part", "liver", "tissue", "liver"),
    )


def test_an_empty_value_clears_the_field_and_says_who_did() -> None:
    corrected = _corrected({"disease": "healthy", "age (years)": "4"}, disease="", age="")
    assert (corrected.disease, corrected.age, corrected.age_unit, corrected.age_years) == ("", None, "", None)
    assert corrected.sources == (
        FieldSource("age", "", "PMID:1", "table 2", "correction"),
        FieldSource("disease", "", "PMID:1", "table 2", "correction"),
    )


@pytest.mark.parametrize(
    ("values", "age", "unit", "years"),
    [
        ({"age": "6 months"}, 6.0, "month", 0.5),
        ({"age": "6"}, 6.0, "", None),
        ({"age": "6", "age_unit": "mo"}, 6.0, "month", 0.5),
        ({"age_unit": "month"}, 30.0, "month", 2.5),
        ({"age_unit": ""}, 30.0, "", None),
        ({"age": "6 days", "age_unit": "month"}, 6.0, "month", 0.5),
    ],
)
def test_a_corrected_age_or_unit_gives_new_years(
    values: dict[str, str], age: float, unit: str, years: float | None
) -> None:
    corrected = _corrected({"age (years)": "30"}, **values)
    assert (corrected.age, corrected.age_unit, corrected.age_years) == (age, unit, years)
    origins = {source.field: source.origin for source in corrected.sources}
    assert origins["age"] == ("correction" if "age" in values else "submitter")
    assert ("age_years" in origins) is (years is not None)


def test_no_correction_changes_nothing() -> None:
    harmonized = harmonize({"age": "5 weeks", "tissue": "liver"})
    assert apply_corrections(harmonized, ()) == harmonized


def test_corrections_of_several_samples_or_of_what_follows_from_others_are_not_laid_over() -> None:
    one, other = Correction("S1", "sex", "f", "x"), Correction("S2", "sex", "m", "x")
    for wrong in ([one, other], [Correction("S1", "age_years", "1", "x")]):
        with pytest.raises(ValueError, match="correct"):
            apply_corrections(Harmonized(), wrong)


def test_two_corrections_of_one_field_are_refused_naming_sample_and_field() -> None:
    given = [Correction("S1", "sex", "f", "our lab"), Correction("S1", "sex", "m", "PMID:1")]
    with pytest.raises(RequestError, match=r"sex of S1 .* twice: it is 'f' by our lab, and 'm' by PMID:1"):
        apply_corrections(Harmonized(), given)
