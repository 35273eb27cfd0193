"""Salmon indices as downloads: a tar with the index and its gene map, made while it is sent."""

from __future__ import annotations

from functools import partial
from hashlib import sha256

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from refinebio_assets.api.holdings.holdings import Index
from refinebio_assets.api.problems import not_found
from refinebio_assets.api.ranges import is_known
from refinebio_assets.api.services import holdings_of, services
from refinebio_assets.api.v1.references import object_id
from refinebio_assets.formats.tar_stream import TarMember, tar_chunks, tar_length
from refinebio_assets.lake.store import Commit, StoredFile
from refinebio_assets.pipelines.references.transcriptome_index import ASSET, GENE_MAP_FILE
from refinebio_assets.tools.salmon import LONG_KMER, SHORT_KMER

_KMERS = {"long": LONG_KMER, "short": SHORT_KMER}


def download_index(request: Request, identity: str) -> Response:
    """Return a Salmon index and its gene map. Raises ApiProblemError when files of it are lost."""
    index = holdings_of(request).indices.get(object_id(identity))
    lake = services(request).lake
    commit = lake.find(ASSET, index.organism, index.commit) if index else None
    if index is None or commit is None or lake.missing_files(commit):
        raise not_found()
    files = _delivered(commit, index)
    listed = "\n".join(f"{file.sha256} {name}" for name, file in files.items())
    tag = f'"{sha256(listed.encode()).hexdigest()}"'
    if is_known(request, tag):
        return Response(status_code=304, headers={"ETag": tag})
    members = [TarMember(name, file.size, partial(lake.open, file)) for name, file in files.items()]
    headers = {
        "Content-Disposition": f'attachment; filename="{index.name}.tar"',
        "Content-Length": str(tar_length(members)),
        "ETag": tag,
    }
    content = () if request.method == "HEAD" else tar_chunks(members)
    return StreamingResponse(content, headers=headers, media_type="application/x-tar")


def _delivered(commit: Commit, index: Index) -> dict[str, StoredFile]:
    """Return the files by their path in the archive: those of the index, and the gene map beside them."""
    folder = f"k{_KMERS[index.length]}/"
    files = {
        f"{index.name}/index/{file.name.removeprefix(folder)}": file
        for file in commit.files
        if file.name.startswith(folder)
    }
    maps = {f"{index.name}/{file.name}": file for file in commit.files if file.name == GENE_MAP_FILE}
    return files | maps
