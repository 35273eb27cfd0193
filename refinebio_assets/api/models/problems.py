"""The bodies of answers that say why a request could not be met."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """JSON with these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class BadRequest(Shape):
    """What is wrong with a request, by kind, in words, and what it is about."""

    error_type: str
    message: str
    details: Any


class Detail(Shape):
    """Why there is no answer."""

    detail: str


class Message(Shape):
    """Why there is no answer, with the status."""

    message: str
    status_code: int
