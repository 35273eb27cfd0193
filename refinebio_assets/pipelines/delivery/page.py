"""A report as one HTML page that opens with a double click, its pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 62em; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.25em; margin-top: 2em; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; margin: 1em 0; font-size: 0.92em; }
th, td { text-align: left; padding: 0.2em 0.9em 0.2em 0; border-bottom: 1px solid #e4e4e4;
  vertical-align: top; }
.beside { display: flex; flex-wrap: wrap; gap: 0 3em; align-items: flex-start; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.warning { background: #fff4d6; border-left: 4px solid #e69f00; padding: 0.5em 1em; margin: 0.6em 0; }
img { max-width: 100%; } .muted { color: #666; }
"""


def page(title: str, parts: Iterable[str], style: str = "") -> str:
    """Return a page of parts that are HTML already; ``style`` comes after the common one."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}{style}</style>'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def warning(text: str) -> str:
    """Return a sentence that is to be seen."""
    return f'<div class="warning">{escape(text)}</div>'


def muted(text: str) -> str:
    """Return a remark."""
    return f'<p class="muted">{escape(text)}</p>'


def beside(parts: Iterable[str]) -> str:
    """Return small parts side by side, as far as there is room."""
    return "\n".join(['<div class="beside">', *parts, "</div>"])


def image(png: bytes, alternative: str) -> str:
    """Return a picture; ``alternative`` says what is on it."""
    data = base64.b64encode(png).decode()
    return f'<p><img alt="{escape(alternative)}" src="data:image/png;base64,{data}"></p>'


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; whole numbers stand to the right."""
    lines = ["<table><tr>" + "".join(f"<th>{escape(head)}</th>" for head in heads) + "</tr>"]
    lines += ["<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows]
    return "\n".join([*lines, "</table>"])


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f'<td class="number">{value:,}</td>'
    return f"<td>{escape(str(value))}</td>"
