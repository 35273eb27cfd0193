"""Tokens and datasets as ``/v1`` shows and takes them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from refinebio_assets.api.models.problems import Shape
from refinebio_assets.domain import AggregateBy, ScaleBy


class Token(Shape):
    """A token."""

    id: str
    is_activated: bool
    terms_and_conditions: str


YES = (True, "true", "True", "TRUE", "t", "T", "1", 1, "yes", "on")
NO = (False, "false", "False", "FALSE", "f", "F", "0", 0, "no", "off")
_Truth = Annotated[bool, WithJsonSchema({"enum": [*YES, *NO]})]
"""A truth value, in any of the forms that clients write it."""

SVD_ALGORITHMS = ("NONE", "RANDOMIZED", "ARPACK")
_Aggregation = Annotated[str, WithJsonSchema({"enum": list(AggregateBy)})]
_Scaling = Annotated[str, WithJsonSchema({"enum": list(ScaleBy)})]
_Svd = Annotated[str, WithJsonSchema({"enum": list(SVD_ALGORITHMS)})]
_Samples = Annotated[list[str], Field(min_length=1, json_schema_extra={"uniqueItems": True})]
_Email = Annotated[str, WithJsonSchema({"type": "string", "format": "email"})]


class TokenBody(BaseModel):
    """What a client says about a token."""

    model_config = ConfigDict(extra="allow")

    is_activated: _Truth = False


class ExperimentOfDataset(Shape):
    """An experiment of a dataset, in short."""

    title: str
    accession_code: str
    organism_names: list[str]
    sample_metadata: list[str]
    technology: str


class Dataset(Shape):
    """A dataset; ``download_url`` needs an active token, the last three ``details=true``."""

    id: str
    data: dict[str, list[str]]
    aggregate_by: str
    scale_by: str
    is_processing: bool
    is_processed: bool
    is_available: bool
    has_email: bool
    expires_on: str | None
    s3_bucket: str
    s3_key: str
    success: bool | None
    failure_reason: str
    created_at: str
    last_modified: str
    start: bool | None
    size_in_bytes: int | None
    sha1: str | None
    download_url: str | None = None
    quantile_normalize: bool
    quant_sf_only: bool
    svd_algorithm: str
    experiments: list[ExperimentOfDataset] = Field(default=[])
    organism_samples: dict[str, list[str]] = Field(default={})
    worker_version: str | None = None


class DatasetBody(BaseModel):
    """What a client asks of a dataset: experiments with samples, or with ``["ALL"]``."""

    model_config = ConfigDict(extra="allow")

    data: dict[str, _Samples]
    aggregate_by: _Aggregation = "EXPERIMENT"
    scale_by: _Scaling = "NONE"
    quantile_normalize: _Truth = True
    quant_sf_only: _Truth = False
    svd_algorithm: _Svd = "NONE"
    email_address: _Email | None = None
    email_ccdl_ok: _Truth = False
    notify_me: _Truth = True
    start: _Truth = False
    token_id: str | None = None


DATASET_EXAMPLE: dict[str, Any] = {
    "data": {"GSE24528": ["ALL"]},
    "aggregate_by": "SPECIES",
    "scale_by": "STANDARD",
    "email_address": "someone@example.org",
}
