"""Whatever is asked, the answer is one that the documentation describes: its status, its type, its fields.

``make fuzz`` does the same for longer, by schemathesis.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from refinebio_assets.api.application import VERSIONS
from refinebio_assets.api.models.examples import EXAMPLES
from refinebio_assets.api.places import without_places


def _routes() -> list[APIRoute]:
    """Return the routes that the documentation shows."""
    found = []
    for version, modules in VERSIONS.items():
        router = APIRouter(prefix=f"/{version}")
        for module in modules:
            module.add_to(router)
        found += [route for route in router.routes if isinstance(route, APIRoute) and route.include_in_schema]
    return found


KNOWN = (
    *("A1", "R1", "GSE1", "SRP2", "HOMO_SAPIENS", "ALL", "9606", "id", "-title", "true", "False", "up"),
    *("dataset:x", "experiment:GSE1", "gene_expression", "sample:R1", "parquet", "liver", "field:liver"),
    *("", " ", "-1", "0", "1e9", "1__2", "9" * 30, "1.5", "%", "'", '";--', "a,b", "[", "(", "\u00e9"),
    *("\0", "\r\nX: y"),
)
texts = st.sampled_from(KNOWN) | st.text(max_size=20)
parts = texts.filter(lambda text: text not in ("", ".", "..") and "/" not in text)
values = st.recursive(
    texts | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def queries(route: APIRoute) -> st.SearchStrategy[dict[str, str]]:
    names = [item["name"] for item in _documented(route) if item["in"] == "query"]
    return st.dictionaries(st.sampled_from([*names, "unknown"]), texts, max_size=4)


def bodies(route: APIRoute) -> st.SearchStrategy[Any]:
    shown = (route.openapi_extra or {}).get("requestBody")
    if shown is None:
        return st.none()
    names = list(shown["content"]["application/json"]["schema"].get("properties", {})) or ["search", "id"]
    data = st.dictionaries(texts, st.lists(texts, max_size=3), max_size=2)
    fields = st.dictionaries(st.sampled_from(names), values, max_size=4)
    return values | fields | st.builds(lambda given, more: {"data": given, **more}, data, fields)


def _documented(route: APIRoute) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (route.openapi_extra or {}).get("parameters", [])
    return found


@pytest.mark.parametrize("route", _routes(), ids=lambda route: f"{''.join(route.methods)} {route.path}")
def test_every_answer_is_as_documented(api: httpx.Client, route: APIRoute) -> None:
    @settings(max_examples=12, deadline=None)
    @given(st.data())
    def answers(data: st.DataObject) -> None:
        path = route.path
        for item in _documented(route):
            if item["in"] == "path":
                path = path.replace(f"{{{item['name']}}}", quote(data.draw(parts), safe=""))
        (method,) = route.methods
        query, body = data.draw(queries(route)), data.draw(bodies(route))
        answer = api.request(method, path, params=query, json=body if method != "GET" else None)
        described = route.responses.get(answer.status_code)
        assert described is not None, (answer.status_code, answer.text)
        if "content" in described:
            assert answer.headers["content-type"] in described["content"]
        else:
            TypeAdapter(described["model"]).validate_json(answer.content)

    answers()


@pytest.mark.parametrize("model", EXAMPLES, ids=str)
def test_examples_in_the_documentation_are_possible_answers(model: Any) -> None:
    TypeAdapter(model).validate_python(EXAMPLES[model])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("salmon quant -i /srv/lake/assets/x/k31 -o /tmp/a -l A", "salmon quant -i k31 -o a -l A"),
        ("/srv/lake/x.fa", "x.fa"),
        ("https://ftp.example.org/pub/x.fa a/b", "https://ftp.example.org/pub/x.fa a/b"),
        ("genes and/or samples", "genes and/or samples"),
    ],
)
def test_places_on_the_server_are_not_shown(text: str, shown: str) -> None:
    assert without_places(text) == shown


def test_the_documentation_says_everything_once(api: httpx.Client) -> None:
    for path, operations in api.get("/openapi.json").json()["paths"].items():
        for operation in operations.values():
            names = [item["name"] for item in operation.get("parameters", [])]
            assert len(set(names)) == len(names)
            assert all(
                item["description"] for item in operation.get("parameters", []) if item["in"] == "path"
            )
            assert operation["summary"] + "." != operation.get("description")
            assert operation["tags"][0].startswith(path.split("/")[1])
