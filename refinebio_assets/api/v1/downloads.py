"""``/v1/download/``: the files behind download links, whole or in ranges."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.building import BUNDLE
from refinebio_assets.api.links import require_valid
from refinebio_assets.api.problems import not_found
from refinebio_assets.api.ranges import RangedFile, is_known
from refinebio_assets.api.services import holdings_of, services
from refinebio_assets.api.v1.datasets import known_dataset
from refinebio_assets.api.v1.index_download import download_index
from refinebio_assets.api.v1.published import published_file
from refinebio_assets.api.v1.references import object_id
from refinebio_assets.errors import CorruptionError, NotFoundError
from refinebio_assets.lake.store import Lake, StoredFile

_FOREVER = "private, max-age=604800, immutable"


def download_dataset(request: Request, identity: str) -> Response:
    """Return the zip of a dataset, in the version that was built for it."""
    require_valid(request, "dataset", identity)
    dataset = known_dataset(request, identity)
    if dataset.product is None:
        raise not_found()
    lake = services(request).lake
    commit = lake.find(BUNDLE, dataset.id, dataset.product.commit)
    if commit is None:
        raise not_found()
    return stored_file(request, lake, commit.file(dataset.product.name))


def download_computed_file(request: Request, identity: str) -> Response:
    """Return a file that was made here."""
    require_valid(request, "computed_file", identity)
    row = holdings_of(request).row(
        "SELECT filename, path, size_in_bytes, sha256 FROM computed_files WHERE id = ?", [object_id(identity)]
    )
    if row is not None:
        file = StoredFile(row["filename"], row["path"], row["size_in_bytes"], row["sha256"])
        return stored_file(request, services(request).lake, file)
    sql = "SELECT * FROM published WHERE file_id = ?"
    published = holdings_of(request).row(sql, [object_id(identity)])
    if published is None:
        raise not_found()
    lake = services(request).lake
    return stored_file(request, lake, published_file(lake, published))


def stored_file(request: Request, lake: Lake, file: StoredFile) -> Response:
    """Return a file of the lake as an answer; its ETag is its SHA-256.

    Raises ApiProblemError when the file is lost or has nothing of the range that is asked for, StorageError
    when it cannot be read.
    """
    tag = f'"{file.sha256}"'
    headers = {"ETag": tag, "Cache-Control": _FOREVER}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    try:
        path = lake.local(file)
    except (NotFoundError, CorruptionError) as error:
        raise not_found() from error
    about = {"filename": file.name, "headers": headers, "media_type": "application/octet-stream"}
    return RangedFile(request, file.size, str(path), **about)


def add_to(router: APIRouter) -> None:
    """Add these endpoints; links to them are made elsewhere, so the docs do not list them."""
    for kind, endpoint in (
        ("dataset", download_dataset),
        ("computed_file", download_computed_file),
        ("transcriptome_index", download_index),
    ):
        router.add_api_route(
            f"/download/{kind}/{{identity}}/{{name}}",
            endpoint,
            methods=["GET", "HEAD"],
            response_model=None,
            include_in_schema=False,
        )
