"""JSON written as its items come is the JSON of all of them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.formats.json_stream import Fields, Items, json_chunks

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def streamed(value: Any) -> Any:
    if isinstance(value, dict):
        return Fields((name, streamed(item)) for name, item in value.items())
    return Items(map(streamed, value)) if isinstance(value, list) else value


@given(VALUES)
def test_it_reads_back_to_what_was_written(value: Any) -> None:
    assert json.loads(b"".join(json_chunks(streamed(value)))) == value


def test_items_have_lines_of_their_own() -> None:
    text = b"".join(json_chunks(Fields([("a", Items([1, {"b": 2}])), ("c", Items([]))]))).decode()
    assert text == '{\n"a": [\n1,\n{"b": 2}\n],\n"c": []\n}'
