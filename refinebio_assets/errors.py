"""Every error the platform raises on purpose. Nothing but exception classes lives here.

Whether a failure is permanent (asking again gives the same answer) or transient (asking again may
succeed) is decided where it is raised, by the class that is raised.
"""

from __future__ import annotations

from pathlib import PurePath


class RefinebioError(Exception):
    """Root of all errors that a user can read and act on."""

    permanent: bool = True


class PermanentError(RefinebioError):
    """The same request fails again until its input, a setting or the software changes."""

    permanent = True


class TransientError(RefinebioError):
    """The same request may succeed later: a killed process, a full disk, a busy server."""

    permanent = False


class FormatError(PermanentError):
    """A file is not what it should be: names the file, the place, what was expected and found."""

    def __init__(
        self,
        file: str | PurePath,
        *,
        expected: str,
        found: str,
        line: int | None = None,
        place: str | None = None,
    ) -> None:
        where = f", line {line:,}" if line is not None else ""
        where += f", {place}" if place else ""
        super().__init__(f"{file}{where}: expected {expected}, found {found}")
        self.file = str(file)
        self.line = line
        self.place = place
        self.expected = expected
        self.found = found


class NewerFormatError(FormatError):
    """A file was written by newer software; upgrading makes it readable."""


class RequestError(PermanentError):
    """A request cannot be met as asked; every problem is named at once."""

    def __init__(self, problems: list[str] | str, *, about: str = "") -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        head = f"{about}: " if about else ""
        if len(self.problems) == 1:
            super().__init__(head + self.problems[0])
        else:
            listed = "\n".join(f"  - {problem}" for problem in self.problems)
            super().__init__(f"{head}{len(self.problems)} problems\n{listed}")


class NotFoundError(PermanentError):
    """What was asked for is not in the lake, the catalog or on disk."""


class NotAtSourceError(NotFoundError):
    """An archive says that it has no such record: unknown, withdrawn or private."""


class ToolError(PermanentError):
    """An external program refused its input; carries the end of what it printed."""


class ToolMissingError(PermanentError):
    """An external program is not installed; the message says how to install it."""


class ToolKilledError(TransientError):
    """An external program was ended by a signal (out of memory, a stopped run)."""


class GivenUpError(TransientError):
    """A server failed in a way that may pass, and was asked again often enough for now."""


class StorageError(TransientError):
    """Reading or writing the lake failed for a reason outside the data: disk full, server away."""


class StorageRefusedError(StorageError):
    """The disk or server refuses until somebody changes it: read-only, not permitted, no such bucket."""

    permanent = True


class RemovedMeanwhileError(TransientError):
    """What an output was made from was removed, as nothing used it, while it was made."""


class CorruptionError(PermanentError):
    """Stored content no longer has the checksum under which it was committed."""


class AllFailedError(PermanentError):
    """Every sample of an experiment failed for good; the message lists why."""


class AllFailedForNowError(TransientError):
    """Every sample of an experiment failed, at least one of them for a reason that may pass."""
