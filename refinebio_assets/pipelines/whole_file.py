"""Files that are handed out: written beside their place, then put there whole."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from refinebio_assets.errors import StorageError


def write_whole(output: Path, write: Callable[[Path], object]) -> None:
    """Have ``write`` write a file; a reader sees the old one or the whole new one. Raises StorageError."""
    temporary = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        temporary.replace(output)
    except OSError as error:
        raise StorageError(f"could not write {output}: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
