"""How long work tells how far it is. The protocol and its silent form; who shows it lives above."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what a use case is doing; called from the thread that runs the use case."""

    def start(self, task: str, total: int, unit: str) -> None:
        """Begin a countable task, for example ``("quantify", 12, "samples")``."""

    def advance(self, task: str, note: str = "", amount: int = 1) -> None:
        """Count ``amount`` more units of the task as done; ``note`` says what became of them."""

    def say(self, text: str) -> None:
        """Tell one fact that a person following the work wants to know."""


class Silent:
    """A progress that nobody watches."""

    def start(self, task: str, total: int, unit: str) -> None:
        """Ignore the start."""

    def advance(self, task: str, note: str = "", amount: int = 1) -> None:
        """Ignore the step."""

    def say(self, text: str) -> None:
        """Ignore the fact."""


SILENT = Silent()
