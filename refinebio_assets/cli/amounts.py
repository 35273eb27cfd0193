"""Numbers on the command line that must be finite: how many hours or days."""

from __future__ import annotations

import math
from typing import Any

import click


class Amount(click.FloatRange):
    """A number from 0 to ``most``, both included; what is no number is refused, too."""

    def __init__(self, most: float) -> None:
        super().__init__(min=0, max=most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number, or fail with what is allowed."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is no number; expected one from 0 to {self.max:,.0f}", param, ctx)
        return number


DAYS = Amount(36_525)
HOURS = Amount(24 * 36_525)
