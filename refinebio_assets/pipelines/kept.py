"""What is expensive to prepare and wanted by many at a time: prepared once, the last few kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The ``count`` values that were prepared last, by key. All who want one wait for one preparation."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._values: dict[Hashable, Value] = {}

    def get(self, key: Hashable, prepare: Callable[[], Value]) -> Value:
        """Return the value of a key, prepared if it is not kept; what raises is not kept."""
        with self._lock:
            if key not in self._values:
                while len(self._values) >= self._count:
                    self._values.pop(next(iter(self._values)))
                self._values[key] = prepare()
            return self._values[key]
