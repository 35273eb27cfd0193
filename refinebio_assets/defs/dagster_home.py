"""Where the Dagster instance of a lake is. Dagster itself is not loaded here."""

import os
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from refinebio_assets.errors import StorageRefusedError
from refinebio_assets.lake.home import DEFAULT_HOME
from refinebio_assets.lake.storage import storing


def prepare_dagster_home(lake_url: str) -> Path:
    """Return the folder of Dagster's instance, made ready, and set ``DAGSTER_HOME`` to it.

    ``DAGSTER_HOME`` is respected when set. Otherwise it is ``dagster/`` inside a local lake, or inside
    ./refinebio_home when the lake is a bucket. Raises StorageError when it cannot be made or written.
    """
    given = os.environ.get("DAGSTER_HOME")
    local = Path(lake_url.removeprefix("file://")) if "://" not in lake_url.removeprefix("file://") else None
    home = Path(given) if given else (local or Path(DEFAULT_HOME)) / "dagster"
    home = home.expanduser().resolve()
    with storing(f"making Dagster's folder {home}"):
        home.mkdir(parents=True, exist_ok=True)
        if not given and not (home / "dagster.yaml").exists():
            temporary = home / f".dagster.yaml.{os.getpid()}"
            with as_file(files("refinebio_assets") / "dagster.yaml") as settings:
                shutil.copyfile(settings, temporary)
            temporary.replace(home / "dagster.yaml")
    if not os.access(home, os.W_OK):
        raise StorageRefusedError(f"Dagster keeps its runs in {home}, which is read-only, for you or for all")
    os.environ["DAGSTER_HOME"] = str(home)
    return home
