"""The read endpoints of ``/v1``: shapes, errors, paging, order, and ids that stay."""

from __future__ import annotations

import shutil
import tarfile
from hashlib import md5
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from refinebio_assets.api.models import experiments, files, jobs, references
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets.metadata.processors import processor_id, stable_id
from refinebio_assets_tests.api.serving import serving, wait_until, wait_until_ready
from refinebio_assets_tests.api.world import codes, commit_experiment, make_world

LISTS: dict[str, Any] = {
    "search": experiments.SearchPage,
    "experiments": experiments.ExperimentPage,
    "samples": experiments.SamplePage,
    "organisms": references.OrganismPage,
    "processors": references.ProcessorPage,
    "transcriptome_indices": references.TranscriptomeIndexPage,
    "computational_results": files.ComputationalResultPage,
    "computed_files": files.ComputedFilePage,
    "original_files": files.OriginalFilePage,
    "jobs/survey": jobs.SurveyJobPage,
    "jobs/downloader": jobs.DownloaderJobPage,
    "jobs/processor": jobs.ProcessorJobPage,
}


def get(api: httpx.Client, path: str, status: int = 200, **parameters: Any) -> Any:
    answer = api.get(f"/v1/{path}", params=parameters or None)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize("name", LISTS)
def test_lists_have_the_declared_fields_in_order_with_and_without_a_slash(
    api: httpx.Client, name: str
) -> None:
    page = get(api, f"{name}/")
    assert LISTS[name].model_validate(page).count == page["count"]
    assert list(page) == list(LISTS[name].model_fields)
    assert get(api, name) == page
    for row in page["results"][:1]:
        expected = list(LISTS[name].model_fields["results"].annotation.__args__[0].model_fields)
        assert list(row) == [field for field in expected if field in row]


@pytest.mark.parametrize("name", ["computational_results", "computed_files", "original_files", "processors"])
def test_each_row_of_a_list_has_a_detail_of_its_own(api: httpx.Client, name: str) -> None:
    models = {
        "computational_results": files.ComputationalResult,
        "computed_files": files.ComputedFile,
        "original_files": files.OriginalFile,
        "processors": references.Processor,
    }
    for row in get(api, name)["results"]:
        detail = get(api, f"{name}/{row['id']}/")
        assert detail["id"] == row["id"]
        models[name].model_validate(detail)


def test_an_experiment_has_its_samples_and_what_was_said_of_it(api: httpx.Client) -> None:
    found = get(api, "experiments/GSE1/")
    experiments.Experiment.model_validate(found)
    assert list(found) == list(experiments.Experiment.model_fields)
    assert [(row["accession_code"], row["is_processed"]) for row in found["samples"]] == [
        ("A1", True),
        ("A2", True),
        ("A3", False),
    ]
    assert found["alternate_accession_code"] == "E-GEOD-1"
    assert found["publication_authors"] == ["Curie M", "Meitner L"]
    assert found["source_first_published"].startswith("2011-02-03T00:00:00")
    counts = ("num_total_samples", "num_processed_samples", "num_downloadable_samples")
    assert [found[name] for name in counts] == [3, 2, 2]
    assert found["sample_metadata"] == ["age", "sex", "specimen_part"]
    assert get(api, "experiments/E-GEOD-1/", 404) == {"detail": "Not found."}


def test_a_sample_says_what_processed_it_and_with_which_index(api: httpx.Client) -> None:
    (found,) = get(api, "samples/", accession_codes="R1")["results"]
    assert get(api, "samples/R1/") == found
    assert found["experiment_accession_codes"] == ["GSE3", "SRP2"]
    assert found["source_database"] == "SRA", "the smaller experiment speaks for it"
    salmon = found["results"][0]
    assert (salmon["processor"]["name"], salmon["processor"]["version"]) == ("Salmon Quant", "1.10.1")
    assert salmon["processor"]["environment"]["cmd_line"] == {"salmon --version": "salmon 1.10.1"}
    index = salmon["organism_index"]
    assert (index["assembly_name"], index["release_version"], index["index_type"]) == (
        *("GRCh38", "100"),
        "TRANSCRIPTOME_LONG",
    )
    assert {result["processor"]["name"] for result in found["results"]} == {"Salmon Quant", "Tximport"}
    assert found["most_recent_quant_file"]["id"] in found["computed_files"]


def test_ages_are_texts_with_three_decimals_and_annotations_are_untouched(api: httpx.Client) -> None:
    found = get(api, "samples/A1/")
    assert (found["age"], found["sex"]) == ("42.000", "female")
    assert found["annotations"][0]["data"] == {"tissue": "Cerebellum", "age": "42"}
    assert found["pretty_platform"] == "Affymetrix Human Genome U133A Array (hgu133a)"


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"experiment_accession_code": "GSE3"}, ["A1", "R1", "Z1"]),
        ({"organism": "7955"}, ["Z1", "W1"]),
        ({"organism__name": "danio rerio"}, ["Z1", "W1"]),
        ({"filter_by": "LIV"}, ["R1", "R2"]),
        ({"filter_by": "42.0"}, ["A1"]),
        ({"is_processed": "False"}, ["A3", "W1"]),
        ({"is_processed": "perhaps", "accession_codes": "A1,W1"}, ["A1", "W1"]),
        ({"technology": "MICROARRAY", "ordering": "-accession_code"}, ["A3", "A2", "A1"]),
        ({"age": "42"}, ["A1"]),
        ({"ordering": "nonsense", "accession_codes": "W1,A2"}, ["A2", "W1"]),
        ({"limit": "2", "offset": "1"}, ["A2", "R1"]),
        ({"limit": "-1", "offset": "x"}, ["A1", "A2", "R1", "R2", "Z1", "A3", "W1"]),
        ({"offset": "1000"}, []),
    ],
)
def test_samples_are_filtered_ordered_and_paged(
    api: httpx.Client, parameters: dict[str, str], expected: list[str]
) -> None:
    assert codes(get(api, "samples/", **parameters)["results"]) == expected


def test_samples_are_found_by_id(api: httpx.Client) -> None:
    number = get(api, "samples/A2/")["id"]
    assert codes(get(api, "samples/", ids=f"{number},1")["results"]) == ["A2"]
    assert len(get(api, "computed_files/", samples=number)["results"]) == 1
    assert [row["samples"] for row in get(api, "original_files/", samples=number)["results"]] == [[number]]


def test_pages_link_to_their_neighbors_and_of_repeated_parameters_the_last_counts(api: httpx.Client) -> None:
    answer = api.get("/v1/samples/?limit=1&offset=0&technology=RNA-SEQ&offset=2&limit=2").json()
    assert codes(answer["results"]) == ["Z1", "W1"]
    assert answer["next"] is None
    before = api.get(answer["previous"]).json()
    assert codes(before["results"]) == ["R1", "R2"]
    assert api.get(before["next"]).json() == answer


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("samples/?foo=1&bar=2", {"error_type": "invalid_filters", "details": ["foo", "bar"]}),
        ("samples/?organism=foo", {"error_type": "invalid_choice", "details": "organism"}),
        ("samples/?ids=a", {"error_type": "invalid", "details": "ids", "message": "Enter a number."}),
        ("computed_files/?id=x", {"error_type": "invalid", "details": "id", "message": "Enter a number."}),
        ("organisms/?name=x", {"error_type": "invalid_filters", "details": ["name"]}),
    ],
)
def test_bad_parameters_are_told_as_existing_clients_read_them(
    api: httpx.Client, path: str, error: dict[str, Any]
) -> None:
    found = get(api, path, 400)
    assert set(found) == {"error_type", "message", "details"}
    assert found == found | error


def test_several_bad_parameters_are_told_at_once(api: httpx.Client) -> None:
    found = get(api, "computed_files/?id=x&result__id=y", 400)
    assert found["error_type"] == "multiple_errors"
    assert [problem["details"] for problem in found["details"]] == ["id", "result__id"]


@pytest.mark.parametrize(
    "path",
    [
        *("experiments/NOPE/", "samples/NOPE/", "organisms/NOPE/", "processors/1/", "processors/x/"),
        *("computed_files/99/", "original_files/99/", "transcriptome_indices/99/", "jobs/survey/99/"),
        *("samples/?experiment_accession_code=NOPE", "jobs/processor/?sample_accession_code=NOPE"),
        "computed_files/9999999999999999999999/",
    ],
)
def test_unknown_objects_are_not_found(api: httpx.Client, path: str) -> None:
    assert get(api, path, 404) == {"detail": "Not found."}


def test_unknown_routes_and_methods_are_told_in_words(api: httpx.Client) -> None:
    assert "not found on this server" in get(api, "nope/", 404)["message"]
    assert "versioned requests" in api.get("/nope").json()["message"]
    assert api.get(api.get("/nope").json()["docs"]).status_code == 200
    answer = api.delete("/v1/samples/")
    assert (answer.status_code, answer.json()) == (405, {"detail": 'Method "DELETE" not allowed.'})


def test_platforms_and_institutions_are_bare_lists_without_empty_names(api: httpx.Client) -> None:
    assert [row["platform_accession_code"] for row in get(api, "platforms")] == [
        "IlluminaHiSeq2000",
        "hgu133a",
    ]
    assert get(api, "institutions/") == [
        {"submitter_institution": "Children's Hospital"},
        {"submitter_institution": "Institute of Livers"},
    ]


def test_indices_are_found_by_organism_in_any_case_and_by_length(api: httpx.Client) -> None:
    (found,) = get(api, "transcriptome_indices/", organism__name="homo_sapiens", length="short")["results"]
    assert found["index_type"] == "TRANSCRIPTOME_SHORT"
    assert get(api, f"transcriptome_indices/{found['id']}/") == found


def test_an_index_is_downloaded_with_its_gene_map_by_anybody(api: httpx.Client) -> None:
    link = get(api, "samples/R1/")["results"][0]["organism_index"]["download_url"]
    whole, head = api.get(link), api.head(link)
    assert len(whole.content) == int(whole.headers["content-length"]) == int(head.headers["content-length"])
    assert (head.status_code, head.content) == (200, b"")
    assert "content-encoding" not in whole.headers
    with tarfile.open(fileobj=BytesIO(whole.content)) as archive:
        files = {name: archive.extractfile(name) for name in archive.getnames()}
        read = {name: file.read() for name, file in files.items() if file}
    name = "HOMO_SAPIENS_TRANSCRIPTOME_LONG"
    genes = b"G1\tT1\n"
    assert read == {f"{name}/index/info.json": b'{"k": "k31"}', f"{name}/genes_to_transcripts.txt": genes}
    again = api.get(link, headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert api.get("/v1/download/transcriptome_index/99/x.tar").status_code == 404


def test_a_processor_has_the_id_that_downloads_give_it(api: httpx.Client) -> None:
    found = get(api, "processors/")["results"]
    assert {"Salmon Quant", "Affymetrix SCAN"} <= {row["name"] for row in found}
    assert [row["id"] for row in found] == [processor_id(row["name"], row["version"]) for row in found]


def test_ids_follow_from_names_and_survive_a_new_catalog(world: Lake, tmp_path: Path) -> None:
    lower = md5(b"sample A1", usedforsecurity=False).digest()[8:]
    assert stable_id("sample", "A1") == int.from_bytes(lower, "little") >> 12
    copy = tmp_path / "lake"
    shutil.copytree(Path(world.url) / "log", copy / "log")
    shutil.copytree(Path(world.url) / "assets", copy / "assets")
    lake = Lake(str(copy))
    Catalog(lake).rebuild()
    url = "https://server.example"
    with serving(world, public_url=url) as one, serving(lake, public_url=url) as other:
        for client in (one, other):
            wait_until_ready(client)
        assert get(one, "samples/A1/")["id"] == get(other, "samples/A1/")["id"] == stable_id("sample", "A1")
        assert get(one, "computed_files/") == get(other, "computed_files/")


def test_a_new_commit_is_served_without_a_restart(tmp_path: Path) -> None:
    lake = make_world(tmp_path)
    with serving(lake) as client:
        wait_until_ready(client)
        assert get(client, "search/")["count"] == 4
        sample = {"organism": "MUS_MUSCULUS", "technology": "RNA-SEQ"}
        commit_experiment(lake, {"experiment": "SRP9", "source": "SRA", "title": "New"}, {"N1": sample})
        wait_until(
            lambda: client.get("/v1/experiments/SRP9/").status_code == 200, "the new experiment is served"
        )
        assert get(client, "search/")["count"] == 5


def test_every_answer_has_the_same_revision_and_browsers_may_ask(api: httpx.Client) -> None:
    answers = [api.get(path) for path in ("/v1/search/", "/v1/nope", "/v1/samples/?foo=1", "/nope")]
    assert len({answer.headers["x-source-revision"] for answer in answers}) == 1
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "PUT"}
    preflight = api.options("/v1/dataset/x/", headers=asked | {"Access-Control-Request-Headers": "API-KEY"})
    assert preflight.status_code == 200
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-origin"] == "*"
    shown = api.get("/v1/search/", headers={"Origin": "https://example.org"}).headers
    assert "x-source-revision" in shown["access-control-expose-headers"].lower()


def test_a_key_that_is_none_does_not_disturb_reading(api: httpx.Client) -> None:
    for key in ("", "nonsense", "0" * 10_000):
        assert api.get("/v1/samples/A1/", headers={"API-KEY": key}).status_code == 200


def test_how_much_there_is(api: httpx.Client) -> None:
    about = get(api, "stats-about/")
    assert (about["samples_available"], about["supported_organisms"], about["experiments_processed"]) == (
        5,
        2,
        3,
    )
    found = get(api, "stats?range=week")
    assert len(found["experiments"]["timeline"]) == 7
    assert found["experiments"]["total"] == 4
    assert found["processed_samples"]["organism"] == {"DANIO_RERIO": 1, "HOMO_SAPIENS": 4}
