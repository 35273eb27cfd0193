"""Reads a dataset request from YAML or JSON, as a person writes it into a file."""

from __future__ import annotations

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from refinebio_assets.errors import FormatError, NotFoundError, RequestError
from refinebio_assets.formats.text_encoding import other_encoding
from refinebio_assets.pipelines.datasets.request import DatasetRequest, parse_request

SUFFIXES = (".yaml", ".yml", ".json")
MAX_BYTES = 50_000_000
"""About a million samples; what is larger is not a request."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeys(_Loader):  # type: ignore[misc]  # its base is C where libyaml is there
    """Loads plain values only, and refuses a key that comes twice, where YAML would keep the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Make a mapping of a node."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    "while reading a mapping",
                    node.start_mark,
                    f"the key {key} is there twice",
                    key_node.start_mark,
                )
            seen.add(key) if isinstance(key, Hashable) else None
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def read_request_file(path: Path) -> DatasetRequest:
    """Read a request from a ``.yaml``, ``.yml`` or ``.json`` file (UTF-8, with or without BOM).

    Raises NotFoundError when there is no such file, FormatError naming the line of a syntax error, and
    what ``parse_request`` raises.
    """
    about = f"dataset request {path}"
    if path.suffix.lower() not in SUFFIXES:
        raise RequestError(f"expected a name that ends in {', '.join(SUFFIXES)}", about=about)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FormatError(path, expected=f"at most {MAX_BYTES:,} bytes", found=f"{path.stat().st_size:,}")
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise NotFoundError(f"{about} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FormatError(path, line=line, expected="text in UTF-8", found=other_encoding(error)) from error
    parse = _from_json if path.suffix.lower() == ".json" else _from_yaml
    return parse_request(parse(text, path), about=about)


def _from_json(text: str, path: Path) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        place = f"column {error.colno}"
        raise FormatError(path, line=error.lineno, place=place, expected="JSON", found=error.msg) from error
    except (ValueError, RecursionError) as error:
        raise FormatError(path, expected="JSON, each key once", found=str(error)) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)} twice")
    return mapping


def _from_yaml(text: str, path: Path) -> Any:
    try:
        return yaml.load(text, Loader=_UniqueKeys)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FormatError(
            path,
            line=mark.line + 1 if mark else None,
            place=f"column {mark.column + 1}" if mark else None,
            expected="YAML",
            found=_problem(error, text),
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FormatError(path, expected="YAML", found=str(error)) from error


def _problem(error: yaml.MarkedYAMLError, text: str) -> str:
    """Return what is wrong; the usual mistakes, which YAML's words do not name, in plain words."""
    problem, mark = (
        (error.problem or error.context or "something else").removeprefix("found "),
        error.problem_mark,
    )
    if mark is None or "cannot start any token" not in problem:
        return problem
    lines = text.splitlines()
    found = lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
    if found == "\t":
        return "a tab; indent with spaces"
    return f"{found!r} at the start of a value; put the value in quotation marks" if found else problem
