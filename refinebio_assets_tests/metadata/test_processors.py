"""The names of processors in downloads."""

from refinebio_assets.metadata.processors import delivered_name
from refinebio_assets.pipelines.read_quantification import SUBMITTED
from refinebio_assets.pipelines.submitted_conversion import PROCESSOR


def test_a_quant_sf_as_given_is_not_named_as_the_submitters_own_values() -> None:
    assert delivered_name(SUBMITTED) == "Salmon (quant.sf as given)"
    assert delivered_name(PROCESSOR) == "Submitter-processed"
