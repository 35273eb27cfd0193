from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.domain import Experiment, FileRole, Sample, SourceFile, Technology
from refinebio_assets.errors import FormatError
from refinebio_assets.sources.sample_sheet import experiment_from_json, experiment_to_json

text = st.text(max_size=5)
samples = st.builds(
    Sample,
    accession=text,
    organism=text,
    technology=st.sampled_from(Technology),
    platform=text,
    files=st.lists(st.builds(SourceFile, st.sampled_from(FileRole), text), max_size=3).map(tuple),
    metadata=st.dictionaries(text, text, max_size=3),
)
experiments = st.builds(
    Experiment,
    accession=text,
    source=text,
    samples=st.lists(samples, max_size=3).map(tuple),
    title=text,
    description=text,
)


@given(experiment=experiments)
def test_an_experiment_survives_json(experiment: Experiment) -> None:
    assert experiment_from_json(json.loads(json.dumps(experiment_to_json(experiment)))) == experiment


def test_the_order_of_metadata_does_not_change_the_text() -> None:
    one, other = (
        Experiment("E", "s", (Sample("S", "O", Technology.RNA_SEQ, metadata=metadata),))
        for metadata in ({"b": "1", "a": "2"}, {"a": "2", "b": "1"})
    )
    assert json.dumps(experiment_to_json(one)) == json.dumps(experiment_to_json(other))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"format": 2},
        {"format": 1, "accession": 3, "source": "", "samples": [], "title": "", "description": ""},
        {"format": 1, "accession": "", "source": "", "samples": [{}], "title": "", "description": ""},
        {"format": 1, "accession": "", "source": "", "samples": 5, "title": "", "description": ""},
    ],
)
def test_anything_else_is_a_format_error_that_names_the_file(document: Any) -> None:
    with pytest.raises(FormatError, match=r"E\.json: expected an experiment record of format 1"):
        experiment_from_json(document, file="E.json")
