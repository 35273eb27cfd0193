"""Which of an archive's files is meant by a name; what the files hold is not looked at."""

from __future__ import annotations

import bisect
import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.formats.archive.entry import base_name

_SHOWN = 5
_COMPARED = 16
"""Names that a missing one is compared with: these take some 2 ms, and thousands may be missing."""


def folded_base(name: str) -> str:
    """Return what a name and a file that it may mean have in common: the base name, whatever its case."""
    return base_name(name).casefold()


_WAYS: tuple[Callable[[str], str], ...] = (str, base_name, folded_base)
"""What has to be the same, the best fit first. What fits in one way fits in those that follow."""


class Names:
    """Finds names among those of the files in an archive."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._numbers: dict[tuple[int, str], list[int]] = defaultdict(list)
        for number, name in enumerate(self._names):
            for way, key in enumerate(_WAYS):
                self._numbers[way, key(name)].append(number)

    def find(self, member: str, label: str) -> int | None:
        """Return the number of the one name that fits best, or None. PermanentError when several do."""
        for way, key in enumerate(_WAYS):
            numbers = self._numbers.get((way, key(member)), [])
            if len(numbers) == 1:
                return numbers[0]
            if numbers:
                shown = ", ".join(self._names[number] for number in numbers[:_SHOWN])
                raise PermanentError(
                    f"{label}: {len(numbers):,} members fit {member}: {shown}; give the whole path"
                )
        return None


class Missing:
    """Words the errors for names that an archive does not have; ``known`` are those that it has."""

    def __init__(self, known: Sequence[str], label: str) -> None:
        self._label = label
        self._known = known
        self._sorted = sorted((folded_base(name), name) for name in known)

    def error(self, member: str) -> NotFoundError:
        """Return the error for one name; it tells the names that are most like it."""
        near = difflib.get_close_matches(member, self._around(member), n=_SHOWN, cutoff=0.5)
        near = near or list(self._known[:_SHOWN])
        listed = f"near ones: {', '.join(near)}" if near else "it holds no files"
        return NotFoundError(f"{self._label} has no member {member} among its {len(self._known):,}; {listed}")

    def _around(self, member: str) -> list[str]:
        """Return the names around this one in the order of base names."""
        place = bisect.bisect(self._sorted, (folded_base(member), member))
        start = max(0, min(place - _COMPARED // 2, len(self._sorted) - _COMPARED))
        return [name for _, name in self._sorted[start : start + _COMPARED]]
