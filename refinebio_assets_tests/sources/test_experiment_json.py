from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.domain import Experiment, Platform, Sample, Technology
from refinebio_assets.errors import FormatError
from refinebio_assets.sources.experiment_json import experiment_from_json, experiment_to_json

experiments = st.from_type(Experiment)


@given(experiment=experiments)
def test_an_experiment_survives_json(experiment: Experiment) -> None:
    assert experiment_from_json(json.loads(json.dumps(experiment_to_json(experiment)))) == experiment


def test_a_sample_sheet_recorded_by_the_first_version_is_still_read() -> None:
    sample = {
        "accession": "S",
        "organism": "HOMO_SAPIENS",
        "technology": "RNA-SEQ",
        "platform": "Illumina HiSeq 2500",
        "files": [{"role": "fastq_1", "location": "/reads.fq"}],
        "metadata": {"title": "one", "age": "4"},
    }
    document = {"format": 1, "accession": "E", "source": "sample_sheet", "title": "", "description": "d"}
    (found,) = experiment_from_json({**document, "samples": [sample]}).samples
    assert found.platform == Platform(name="Illumina HiSeq 2500")
    assert (found.title, found.metadata) == ("one", (("title", "one"), ("age", "4")))
    assert found.technology is Technology.RNA_SEQ
    assert isinstance(found, Sample)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"format": 2},
        {"format": 3},
        {"format": 1, "accession": 3, "source": "", "samples": [], "title": "", "description": ""},
        {"format": 1, "accession": "", "source": "", "samples": [{}], "title": "", "description": ""},
        {"format": 1, "accession": "", "source": "", "samples": 5, "title": "", "description": ""},
    ],
)
def test_anything_else_is_a_format_error_that_names_the_file(document: Any) -> None:
    with pytest.raises(FormatError, match=r"E\.json: expected an experiment record of format 2"):
        experiment_from_json(document, file="E.json")
