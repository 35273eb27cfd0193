"""API tokens: random ids of which only hashes are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid4

from refinebio_assets.api.state.database import Database


@dataclass(frozen=True, slots=True)
class Token:
    """A token; ``id`` is the secret itself, known to the client and in no file."""

    id: str
    is_activated: bool


class Tokens:
    """The tokens that were given out."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    def create(self, *, is_activated: bool) -> Token:
        """Give out a new token. Raises StorageError."""
        token = Token(str(uuid4()), is_activated)
        with self._database.changing() as connection:
            values = [_hashed(token.id), is_activated, self._now().isoformat()]
            connection.execute("INSERT INTO tokens VALUES (?, ?, ?)", values)
        return token

    def find(self, text: str) -> Token | None:
        """Return the token that a text is, or None for anything else."""
        identity = as_uuid(text)
        if identity is None:
            return None
        rows = self._database.rows("SELECT is_activated FROM tokens WHERE hash = ?", [_hashed(identity)])
        return Token(identity, bool(rows[0]["is_activated"])) if rows else None

    def set_activated(self, token: Token, is_activated: bool) -> Token:
        """Activate a token, or take its activation back. Raises StorageError."""
        with self._database.changing() as connection:
            values = [is_activated, _hashed(token.id)]
            connection.execute("UPDATE tokens SET is_activated = ? WHERE hash = ?", values)
        return Token(token.id, is_activated)


def as_uuid(text: str) -> str | None:
    """Return the usual form of a UUID, or None for another text."""
    try:
        return str(UUID(text)) if len(text) in (32, 36) else None
    except ValueError:
        return None


def _hashed(identity: str) -> str:
    return sha256(identity.encode()).hexdigest()
