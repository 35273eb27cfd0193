"""Lists: which rows of a table are asked for, in which order, page by page, with links to those beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response

from refinebio_assets.api.answers import answer, public_base, query_parameter
from refinebio_assets.api.holdings.holdings import Holdings, Row
from refinebio_assets.api.holdings.making import DOCUMENTS
from refinebio_assets.api.parameters import NUMBER_PATTERN, Filter, Kind, Page, Selection, order, page, select
from refinebio_assets.api.services import holdings_of


@dataclass(frozen=True, slots=True)
class Listing:
    """One list: a table's rows, what they may be filtered and ordered by, and how a page of them is shown.

    Without ``ordering`` they come by ``default`` (a list of SQL terms), and always at last by ``tie``, which
    no two rows share. ``others`` are parameters, with descriptions, that ``narrow`` turns into conditions.
    """

    table: str
    filters: tuple[Filter, ...]
    orderings: tuple[str, ...]
    shown: Callable[[Request, list[Row]], list[Row]]
    default: str = ""
    tie: str = "id"
    others: tuple[tuple[str, str], ...] = ()
    narrow: Callable[[Request, Selection], None] = lambda _request, _selection: None

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """The OpenAPI parameters."""
        return list_parameters(self.filters, *self.others, ordering=self.orderings)


def list_page(request: Request, listing: Listing) -> Response:
    """Return the page of a list that is asked for. Raises ApiProblemError for parameters that are wrong."""
    holdings, given = holdings_of(request), request.query_params
    selection = select(given, listing.filters, [name for name, _ in listing.others])
    listing.narrow(request, selection)
    wanted = page(given)
    clause = order(given, listing.orderings, listing.default, listing.tie)
    rows = page_rows(holdings, listing.table, selection, clause, wanted)
    count = count_rows(holdings, listing.table, selection)
    return envelope(request, wanted, count, listing.shown(request, rows))


def list_parameters(
    filters: Sequence[Filter], *others: tuple[str, str], ordering: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the OpenAPI parameters of a list: its filters, others (name, description), order and paging."""
    found = [query_parameter(item.name, item.description, _SCHEMAS.get(item.kind)) for item in filters]
    found += [query_parameter(name, description) for name, description in others]
    if ordering:
        columns = ", ".join(ordering)
        found.append(query_parameter("ordering", f"`name` or `-name` (descending) of {columns}."))
    found.append(query_parameter("limit", "Rows a page: 25, at most 1000.", _WHOLE_NUMBER))
    found.append(query_parameter("offset", "Rows to leave out first.", _WHOLE_NUMBER))
    return found


# Any text is taken, as existing clients send it; what cannot be read is ignored.
_WHOLE_NUMBER: dict[str, Any] = {"type": ["string", "integer"]}
_SCHEMAS: dict[Kind, dict[str, Any]] = {
    Kind.NUMBER: {"type": "string", "pattern": NUMBER_PATTERN},
    Kind.TRUTH: {"type": ["string", "boolean"]},
}


def envelope(request: Request, page: Page, count: int, results: Sequence[Any], **more: Any) -> Response:
    """Return one page of a list, with links to those beside it."""
    after, before = page.offset + page.limit, page.offset - page.limit
    return answer(
        {
            "count": count,
            "next": _link(request, page.limit, after) if after < count else None,
            "previous": _link(request, page.limit, before) if page.offset > 0 else None,
            **more,
            "results": list(results),
        }
    )


def _link(request: Request, limit: int, offset: int) -> str:
    kept = [pair for pair in request.query_params.multi_items() if pair[0] not in ("limit", "offset")]
    paging = [("limit", str(limit)), *([("offset", str(offset))] if offset > 0 else [])]
    return f"{public_base(request)}{request.url.path}?{urlencode([*kept, *paging])}"


def count_rows(holdings: Holdings, table: str, selection: Selection) -> int:
    """Return how many rows of a table are selected."""
    if selection.places is not None and selection.is_places:
        return len(selection.places)

    def count() -> int:
        row = holdings.row(f"SELECT count(*) AS n FROM {table} {selection.where}", selection.values)
        return int(row["n"]) if row else 0

    return holdings.remember(("count", table, *selection.key), count)


def page_rows(holdings: Holdings, table: str, selection: Selection, order: str, page: Page) -> list[Row]:
    """Return the rows of one page; the wide columns are read for these rows only."""
    key = "rowid" if table in DOCUMENTS else "id"
    places = _places(holdings, table, key, selection, order, page)
    if table in DOCUMENTS:
        return holdings.documents(table, places)
    listed = ", ".join(str(int(place)) for place in places) or "NULL"
    found = holdings.rows(f"SELECT * FROM {table} WHERE id IN ({listed})")
    by_id = {row["id"]: row for row in found}
    return [by_id[place] for place in places]


def _places(
    holdings: Holdings, table: str, key: str, selection: Selection, order: str, page: Page
) -> Sequence[int]:
    """Return the keys of a page's rows. Rows lie in the order of ``ORDER BY rowid``: nothing is sorted."""
    if order == "ORDER BY rowid":
        if selection.places is not None and selection.is_places:
            return selection.places[page.offset : page.offset + page.limit]
        if not selection.conditions:
            last = min(page.offset + page.limit, count_rows(holdings, table, selection))
            return range(page.offset, last)
        order = ""
    sql = f"SELECT {key} AS place FROM {table} {selection.where} {order} LIMIT ? OFFSET ?"
    return [row["place"] for row in holdings.rows(sql, [*selection.values, page.limit, page.offset])]
