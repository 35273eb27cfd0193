"""Reads the fields of a request's body, with the errors that existing clients understand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from refinebio_assets.api.models.datasets import NO, YES
from refinebio_assets.api.problems import Invalid, bad_request

_MISSING = object()
_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\\\]\x00-\x1f]{1,64}@[^\s@.\x00-\x1f]+(\.[^\s@.\x00-\x1f]+)+")
_LONGEST_EMAIL = 255


class Fields:
    """A body's fields. Each is read once; what is wrong is collected, the first of each field."""

    def __init__(self, body: Any) -> None:
        """Take a body. Raises ApiProblemError when it is no object."""
        if not isinstance(body, Mapping):
            message = f"Invalid data. Expected a dictionary, but got {type(body).__name__}."
            raise bad_request(Invalid("invalid", message, "non_field_errors"))
        self._body = body
        self._problems: list[Invalid] = []

    def __contains__(self, name: str) -> bool:
        return name in self._body

    def require_sound(self) -> None:
        """Raise ApiProblemError naming all that is wrong with the fields that were read."""
        if self._problems:
            raise bad_request(self._problems)

    def required(self, name: str) -> Any:
        """Return a field's value, whatever it is; missing and null are problems."""
        value = self._body.get(name, _MISSING)
        if value is _MISSING:
            return self._refuse("required", "This field is required.", name)
        if value is None:
            return self._refuse("null", "This field may not be null.", name)
        return value

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """Return one of the choices."""
        value = self._body.get(name, default)
        if value is None:
            self._refuse("null", "This field may not be null.", name)
        elif not isinstance(value, str) or value not in choices:
            self._refuse("invalid_choice", f'"{str(value)[:100]}" is not a valid choice.', name)
        else:
            return value
        return default

    def truth(self, name: str, default: bool) -> bool:
        """Return a truth value, in any of the forms that clients write it."""
        value = self._body.get(name, default)
        if value is None:
            self._refuse("null", "This field may not be null.", name)
        elif isinstance(value, str | int) and value in YES:
            return True
        elif not (isinstance(value, str | int) and value in NO):
            self._refuse("invalid", "Must be a valid boolean.", name)
        else:
            return False
        return default

    def email(self, name: str) -> bool:
        """Tell whether there is an e-mail address."""
        value = self._body.get(name)
        if value in (None, ""):
            return False
        if isinstance(value, str) and len(value) <= _LONGEST_EMAIL and _EMAIL.fullmatch(value):
            return True
        self._refuse("invalid", "Enter a valid email address.", name)
        return False

    def text(self, name: str) -> str:
        """Return a text; empty when there is none."""
        value = self._body.get(name)
        return value if isinstance(value, str) else ""

    def _refuse(self, error_type: str, message: str, name: str) -> Any:
        self._problems.append(Invalid(error_type, message, name))
        return None
