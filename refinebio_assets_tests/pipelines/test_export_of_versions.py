"""Earlier versions of matrices: written to files as they were, until they are removed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.lake.store import Lake, utc_now
from refinebio_assets.pipelines.export import export_matrix
from refinebio_assets.pipelines.garbage.candidates import Terms
from refinebio_assets.pipelines.garbage.collection import plan_removal
from refinebio_assets.pipelines.garbage.removal import remove
from refinebio_assets_tests.pipelines.study import Study, quant_sf_text


def exported(study: Study, version: str = "") -> str:
    output = study.folder / "matrix.tsv"
    export_matrix(study.lake, "STUDY", output, format="tsv", version=version)
    return output.read_text(encoding="utf-8")


def test_an_earlier_version_is_written_as_it_was_until_gc_removes_it(study: Study) -> None:
    study.process()
    before, first = exported(study), study.lake.history("gene_expression", "STUDY")[0].version
    study.write("S1.sf", quant_sf_text(99))
    study.process()
    assert exported(study) != before
    assert exported(study, first[:10]) == before
    with pytest.raises(RequestError, match="write it as tsv, csv or parquet"):
        export_matrix(study.lake, "STUDY", study.folder / "m.h5ad", format="h5ad", version=first)
    later = Lake(study.lake.url, cache=study.lake.cache, now=lambda: utc_now() + timedelta(days=40))
    remove(later, plan_removal(later, Terms()))
    with pytest.raises(NotFoundError, match=r"version .* was removed on"):
        exported(study, first[:10])
