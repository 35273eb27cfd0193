"""Platform detection: two shares, one winner, a strict gate, and the values that refine.bio stored."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.methods.platform_detection import GATE_PERCENT, detect_platform

ID_SETS = st.lists(st.sampled_from([f"ILMN_{number}" for number in range(12)]), max_size=30)


def ids(start: int, stop: int) -> pa.StringArray:
    return pa.array([f"ILMN_{number}" for number in range(start, stop)], pa.string())


def texts(values: list[str] | list[str | None]) -> pa.StringArray:
    return pa.array(values, pa.string())


def test_the_winner_is_the_platform_of_whose_probes_most_are_in_the_file() -> None:
    found = detect_platform(ids(0, 80), {"small": ids(0, 20), "large": ids(0, 100), "other": ids(75, 200)})
    assert (found.platform, found.detection_percentage, found.mapped_percentage) == ("small", 100.0, 25.0)
    assert not found.passed
    large = found.candidates[1]
    assert (large.platform, large.probes, large.found) == ("large", 100, 80)
    assert (large.detection_percentage, large.mapped_percentage) == (80.0, 100.0)
    assert [each.platform for each in found.candidates] == ["small", "large", "other"]


def test_the_gate_looks_at_the_share_of_the_files_ids_and_not_at_that_of_the_probes() -> None:
    found = detect_platform(ids(0, 448), {"one": ids(0, 1000)})
    assert found.passed and found.detection_percentage == 44.8 and found.mapped_percentage == 100.0


@pytest.mark.parametrize(("known", "passes"), [(2999, False), (3000, False), (3001, True)])
def test_exactly_three_quarters_do_not_pass(known: int, passes: bool) -> None:
    assert detect_platform(ids(0, 4000), {"one": ids(0, known)}).passed is passes


def test_of_equal_shares_the_first_platform_wins() -> None:
    candidates = {"v1": ids(0, 30), "v2": ids(10, 40), "v3": ids(0, 60)}
    file = ids(0, 40)
    assert detect_platform(file, candidates).platform == "v1"
    assert detect_platform(file, dict(reversed(candidates.items()))).platform == "v2"


def test_a_file_without_any_known_id_has_no_platform() -> None:
    found = detect_platform(ids(0, 9), {"v1": ids(100, 200), "v2": ids(200, 300)})
    assert found.platform is None and not found.passed
    assert (found.detection_percentage, found.mapped_percentage) == (0.0, 0.0)
    assert found.summary == "none of the file's 9 ids is a probe of v1, v2"
    assert len(found.candidates) == 2


def test_nothing_to_compare_is_no_platform() -> None:
    assert detect_platform(ids(0, 9), {}).platform is None
    assert detect_platform(ids(0, 0), {"v1": ids(0, 9), "empty": ids(0, 0)}).platform is None


def test_repeated_missing_and_empty_ids_do_not_count() -> None:
    found = detect_platform(texts(["a", "a", "b", None, "", "x"]), {"one": texts(["a", "b", "c", "d", "a"])})
    assert (found.file_ids, found.candidates[0].probes, found.candidates[0].found) == (3, 4, 2)
    assert found.detection_percentage == 50.0


def test_the_summary_says_why_a_file_passed_or_not() -> None:
    passed = detect_platform(ids(0, 90), {"v2": ids(0, 100)})
    assert passed.summary == (
        "v2: 100 % of the file's 90 ids are its probes (more than 75 %), 90 % of its probes are in the file"
    )
    assert "(not more than 75 %)" in detect_platform(ids(0, 90), {"v2": ids(0, 50)}).summary


@given(file=ID_SETS, candidates=st.dictionaries(st.sampled_from("abcd"), ID_SETS))
def test_the_shares_are_those_of_sets(file: list[str], candidates: dict[str, list[str]]) -> None:
    found = detect_platform(texts(file), {name: texts(probes) for name, probes in candidates.items()})
    for each in found.candidates:
        common = set(file) & set(candidates[each.platform])
        assert each.found == len(common)
        assert each.detection_percentage == (100 * len(common) / (len(set(candidates[each.platform])) or 1))
        assert each.mapped_percentage == (100 * len(common) / (len(set(file)) or 1))
    highest = max((each.detection_percentage for each in found.candidates), default=0.0)
    assert found.detection_percentage == highest
    assert (found.platform is None) == (highest == 0)
    assert found.passed == (found.mapped_percentage > GATE_PERCENT)


# Rows of GEO's platforms, and probes of the packages as the stored percentages imply them.
STORED = {
    ("GPL6102", "illuminaHumanv2"): (48_702, 48_701, 49_481),
    ("GPL6947", "illuminaHumanv3"): (48_803, 48_803, 49_576),
    ("GPL6104", "illuminaHumanv2"): (22_184, 22_184, 49_481),
    ("GPL10558", "illuminaHumanv4"): (47_323, 47_323, 48_107),
}


def test_the_percentages_are_those_that_refinebio_stored(shared_data: Path) -> None:
    with gzip.open(
        shared_data / "metadata_oracles" / "illumina_detection_production.jsonl.gz", "rt"
    ) as lines:
        samples = [json.loads(line) for line in lines]
    compared = 0
    for (gpl, platform), (in_file, known, in_package) in STORED.items():
        package = ids(in_file - known, in_file - known + in_package)
        found = detect_platform(ids(0, in_file), {"none": ids(10**6, 10**6 + 9), platform: package})
        # R writes seven digits.
        ours = [platform, f"{found.detection_percentage:.7g}", f"{found.mapped_percentage:.7g}"]
        for sample in samples:
            if sample["gpl"] == gpl and sample["experiment"] != "GSE70167":  # a file of 42,000 of the probes
                shares = [sample["detection_percentage"], sample["mapped_percentage"]]
                assert [sample["detected_platform"], *(f"{share:.7g}" for share in shares)] == ours
                compared += 1
    assert compared == len(samples) - 2
    assert all(sample["mapped_percentage"] > GATE_PERCENT for sample in samples)
