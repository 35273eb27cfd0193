"""What a client is told when a request cannot be met, with the bodies that existing clients understand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NO_ROUTE = "The requested resource was not found on this server."
UNVERSIONED = "refine.bio API resources are only available through versioned requests."
SERVER_ERROR = "A server error occured. This has been reported."  # sic: clients may compare it
MANY = "Multiple errors have occurred. See `details` for a full list."
BAD_FILTERS = "You have supplied invalid filters. See `details` for a full list."


class ApiProblemError(Exception):
    """An answer other than the one that was asked for."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = dict(body)
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Invalid:
    """One thing that is wrong with a request: its kind, in words, and which field or items it is about."""

    error_type: str
    message: str
    details: str | list[str] | None

    def body(self) -> dict[str, Any]:
        """Return the body that says so."""
        return {"error_type": self.error_type, "message": self.message, "details": self.details}


def bad_request(found: Sequence[Invalid] | Invalid) -> ApiProblemError:
    """Return the answer to a request with one or several things wrong."""
    problems = [found] if isinstance(found, Invalid) else list(found)
    if len(problems) == 1:
        return ApiProblemError(400, problems[0].body())
    details = [problem.body() for problem in problems]
    return ApiProblemError(400, {"error_type": "multiple_errors", "message": MANY, "details": details})


def invalid_filters(names: Sequence[str]) -> ApiProblemError:
    """Return the answer to parameters that a list does not have."""
    return bad_request(Invalid("invalid_filters", BAD_FILTERS, list(names)))


def not_found() -> ApiProblemError:
    """Return the answer to an unknown id or accession."""
    return ApiProblemError(404, {"detail": "Not found."})


def unavailable(reason: str, seconds: int = 10) -> ApiProblemError:
    """Return the answer while something that is needed is away: disk, catalog, Dagster."""
    return ApiProblemError(503, {"message": reason, "status_code": 503}, {"Retry-After": str(seconds)})
