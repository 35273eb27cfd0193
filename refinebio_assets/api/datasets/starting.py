"""Makes a dataset a request in the lake and has it built."""

from __future__ import annotations

from dataclasses import replace

from refinebio_assets.api.datasets.data import invalid_data
from refinebio_assets.api.problems import not_found
from refinebio_assets.api.services import Services
from refinebio_assets.api.state.datasets import Dataset, DatasetState
from refinebio_assets.errors import RefinebioError
from refinebio_assets.pipelines.datasets.acceptance import AcceptedRequest, accept_request
from refinebio_assets.pipelines.datasets.registry import register_dataset
from refinebio_assets.pipelines.datasets.request import DatasetRequestError, parse_request

ORIGIN = "web API"
BUILD_JOBS = ("build_dataset",)


def accept(services: Services, dataset: Dataset) -> AcceptedRequest:
    """Return a dataset as a request that can be met. Raises ApiProblemError naming all against it."""
    document = {
        "data": dict(dataset.data),
        "aggregate_by": dataset.options.aggregate_by,
        "scale_by": dataset.options.scale_by,
        "quantile_normalize": dataset.options.quantile_normalize,
        "quant_sf_only": dataset.options.quant_sf_only,
    }
    try:
        request = parse_request(document)
        return accept_request(services.lake, services.catalog, request)
    except DatasetRequestError as error:
        items = [item for problem in error.found for item in problem.items]
        message = "; ".join(f"{problem.place}: {problem.message}" for problem in error.found)
        raise invalid_data(message, items or None) from error


def start(services: Services, dataset: Dataset, accepted: AcceptedRequest) -> Dataset:
    """Register a dataset's request in the lake and start its run.

    Raises StorageError when the lake, the state or Dagster is away; the dataset can be started again then.
    """
    services.jobs.runs(BUILD_JOBS)
    register_dataset(services.lake, accepted, dataset=dataset.id, update=True, origin=ORIGIN)
    started = services.datasets.change(dataset.id, _processing)
    if started is None:
        raise not_found()
    try:
        services.building.start(dataset.id)
    except RefinebioError:
        services.datasets.change(dataset.id, lambda now: replace(now, state=DatasetState.EDITABLE))
        raise
    return started


def _processing(dataset: Dataset) -> Dataset:
    return replace(dataset, state=DatasetState.PROCESSING, failure_reason="", product=None)
