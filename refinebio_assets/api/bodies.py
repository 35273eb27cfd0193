"""Request bodies as JSON values, whatever the content type says, as existing clients send it always."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Depends, Request

from refinebio_assets.api.problems import Invalid, bad_request


async def _json_body(request: Request) -> Any:
    """Return the body's value, an empty object for none. Raises ApiProblemError for broken JSON."""
    data = await request.body()
    if not data.strip():
        return {}
    try:
        value = json.loads(data, parse_constant=_refuse)
        # Half a character (a lone surrogate) is in no name, and can be stored nowhere.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        message = f"JSON parse error - {error}"
        raise bad_request(Invalid("bad_request", message, None)) from error
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


JsonBody = Annotated[Any, Depends(_json_body)]
