"""``/v1/dataset/``: put together, started, waited for, and downloaded."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets import __version__
from refinebio_assets.api.answers import add_route, answer, path_parameter, query_parameter
from refinebio_assets.api.bodies import JsonBody
from refinebio_assets.api.datasets.data import all_samples, sound_data
from refinebio_assets.api.datasets.starting import accept, start
from refinebio_assets.api.holdings.holdings import Row
from refinebio_assets.api.links import download_link
from refinebio_assets.api.models import datasets as models
from refinebio_assets.api.problems import Invalid, bad_request, not_found
from refinebio_assets.api.services import holdings_of, services
from refinebio_assets.api.state.datasets import Dataset, DatasetState, Options
from refinebio_assets.api.state.tokens import as_uuid
from refinebio_assets.api.v1.fields import Fields
from refinebio_assets.api.v1.jobs import utc_text
from refinebio_assets.api.v1.tokens import active_token, require_writable
from refinebio_assets.domain import AggregateBy, ScaleBy

_FINISHED = "You may not update Datasets which have already been processed"
_NO_TOKEN = "You must provide an active API token ID"
_NO_EMAIL = "You must provide an email address."
_DETAILS = query_parameter("details", "`true` adds experiments, samples by organism, and the version.")


def create_dataset(request: Request, body: JsonBody) -> Response:
    """Make a dataset, and start it with ``start``."""
    require_writable(request)
    asked = _Asked(request, Fields(body), Options(), has_email=False)
    found = services(request)
    draft = Dataset("", asked.data, asked.options, "", "", has_email=asked.has_email)
    accepted = accept(found, draft) if asked.start else None
    dataset = found.datasets.create(asked.data, asked.options, has_email=asked.has_email)
    if accepted is not None:
        dataset = start(found, dataset, accepted)
    return answer(_shown(request, dataset, started=asked.start), 201)


def get_dataset(request: Request, dataset: str) -> Response:
    """Return a dataset, and how it stands."""
    return answer(_shown(request, known_dataset(request, dataset)))


def update_dataset(request: Request, dataset: str, body: JsonBody) -> Response:
    """Change a dataset, and start it with ``start``. One that is being built stays as it is."""
    require_writable(request)
    before = known_dataset(request, dataset)
    if before.state is DatasetState.DONE:
        raise bad_request(Invalid("bad_request", _FINISHED, None))
    if before.state is DatasetState.PROCESSING:
        return answer(_shown(request, _unchanged(Fields(body), before)))
    asked = _Asked(request, Fields(body), before.options, has_email=before.has_email)
    found = services(request)
    wanted = replace(before, data=asked.data, options=asked.options, has_email=asked.has_email)
    accepted = accept(found, wanted) if asked.start else None
    changed = found.datasets.change(before.id, lambda now: _changed(now, wanted))
    if changed is None:
        raise not_found()
    if accepted is not None:
        changed = start(found, changed, accepted)
    return answer(_shown(request, changed, started=asked.start))


class _Asked:
    """What a body asks of a dataset, in order. Raises ApiProblemError for the first thing that is wrong."""

    def __init__(self, request: Request, fields: Fields, before: Options, *, has_email: bool) -> None:
        value = fields.required("data")
        self.options = Options(
            fields.choice("aggregate_by", list(AggregateBy), before.aggregate_by),
            fields.choice("scale_by", list(ScaleBy), before.scale_by),
            fields.truth("quantile_normalize", before.quantile_normalize),
            fields.truth("quant_sf_only", before.quant_sf_only),
            fields.choice("svd_algorithm", models.SVD_ALGORITHMS, before.svd_algorithm),
            fields.truth("notify_me", before.notify_me),
            fields.truth("email_ccdl_ok", before.email_ccdl_ok),
        )
        given_email = fields.email("email_address")
        self.has_email = given_email or has_email
        self.start = fields.truth("start", False)
        fields.require_sound()
        self.data = sound_data(holdings_of(request), value, self.options, start=self.start)
        if self.start and not active_token(request, fields.text("token_id")):
            raise bad_request(Invalid("invalid_token", _NO_TOKEN, fields.text("token_id")))
        if self.start and not given_email:
            raise bad_request(Invalid("invalid_email", _NO_EMAIL, ""))


def known_dataset(request: Request, text: str) -> Dataset:
    """Return a dataset. Raises ApiProblemError when there is none."""
    identity = as_uuid(text)
    dataset = services(request).datasets.find(identity) if identity else None
    if dataset is None:
        raise not_found()
    return dataset


def _unchanged(fields: Fields, dataset: Dataset) -> Dataset:
    """Judge what is said about a dataset that is being built, and return it as it is."""
    fields.required("data")
    given_email = fields.email("email_address")
    fields.require_sound()
    if not given_email:
        raise bad_request(Invalid("invalid_email", _NO_EMAIL, ""))
    return dataset


def _changed(now: Dataset, wanted: Dataset) -> Dataset:
    """Return a dataset as it is wanted, unless it was started meanwhile."""
    if now.state in (DatasetState.PROCESSING, DatasetState.DONE):
        raise bad_request(Invalid("bad_request", _FINISHED, None))
    return replace(wanted, state=DatasetState.EDITABLE, failure_reason="")


def _shown(request: Request, dataset: Dataset, *, started: bool = False) -> Row:
    product, options = dataset.product, dataset.options
    done = dataset.state is DatasetState.DONE
    shown: Row = {
        "id": dataset.id,
        "data": dict(dataset.data),
        "aggregate_by": options.aggregate_by,
        "scale_by": options.scale_by,
        "is_processing": dataset.state is DatasetState.PROCESSING,
        "is_processed": done,
        "is_available": done,
        "has_email": dataset.has_email,
        "expires_on": _expires_on(request, dataset),
        "s3_bucket": "refinebio-assets" if product else "",
        "s3_key": product.name if product else "",
        "success": {DatasetState.DONE: True, DatasetState.FAILED: False}.get(dataset.state),
        "failure_reason": dataset.failure_reason,
        "created_at": dataset.created_at,
        "last_modified": dataset.last_modified,
        "start": True if started else None,
        "size_in_bytes": product.size if product else None,
        "sha1": product.sha1 if product else None,
    }
    if active_token(request):
        link = download_link(request, "dataset", dataset.id, product.name) if product else None
        shown["download_url"] = link
    shown |= {
        "quantile_normalize": options.quantile_normalize,
        "quant_sf_only": options.quant_sf_only,
        "svd_algorithm": options.svd_algorithm,
    }
    if request.query_params.get("details") in ("true", "True"):
        shown |= _details(request, dataset)
    return shown


def _expires_on(request: Request, dataset: Dataset) -> str | None:
    """Return until when a dataset is promised; the lake keeps it longer."""
    days = services(request).settings.expires_days
    if dataset.product is None or not days:
        return None
    return utc_text(datetime.fromisoformat(dataset.product.made_at) + timedelta(days=days))


def _details(request: Request, dataset: Dataset) -> Row:
    holdings = holdings_of(request)
    experiments = holdings.rows(
        """SELECT title, accession_code, organism_names, sample_metadata_fields AS sample_metadata, technology
           FROM experiments WHERE accession_code IN (SELECT unnest(?)) ORDER BY accession_code""",
        [list(dataset.data)],
    )
    samples = holdings.rows(
        """SELECT organism, list(accession_code ORDER BY accession_code) AS samples FROM samples
           WHERE accession_code IN (SELECT unnest(?)) GROUP BY organism ORDER BY organism""",
        [all_samples(dataset.data)],
    )
    return {
        "experiments": experiments,
        "organism_samples": {row["organism"]: row["samples"] for row in samples},
        "worker_version": __version__,
    }


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    path = path_parameter("dataset", "Id of the dataset.", "5d2ba9c5-3cbb-4f4e-a1d7-0fe0a3e9f0b1")
    shared: dict[str, Any] = {"body": models.DatasetBody, "example": models.DATASET_EXAMPLE}
    add_route(
        router,
        "/dataset",
        create_dataset,
        models.Dataset,
        method="POST",
        status=201,
        problems=(400, 403),
        **shared,
    )
    parameters = [path, _DETAILS]
    add_route(
        router, "/dataset/{dataset}", get_dataset, models.Dataset, problems=(404,), parameters=parameters
    )
    add_route(
        router,
        "/dataset/{dataset}",
        update_dataset,
        models.Dataset,
        method="PUT",
        problems=(400, 403, 404),
        parameters=parameters,
        **shared,
    )
