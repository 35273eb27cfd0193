"""The ``refinebio`` command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from refinebio_assets_tests.api.client_flows.flow import EMAIL, FOLDER, flow, lock_of, members


def _command(*words: str, **environment: str) -> str:
    program = Path(sys.executable).with_name("refinebio")
    done = subprocess.run(
        [program, *words],
        env=os.environ | environment,
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@flow
def the_command_makes_a_token() -> None:
    config = FOLDER / "command.yaml"
    _command("create-token", "-s", REFINEBIO_CONFIG_FILE=str(config))
    assert "token:" in config.read_text(encoding="utf-8")


@flow
def the_command_downloads_a_dataset() -> None:
    words = ("download-dataset", "--email-address", EMAIL, "--experiments", "SRP20", "--path", "command.zip")
    _command(*words, "--aggregation", "ALL", "--timeout", "5 minutes")
    assert "ALL/ALL.tsv" in members(FOLDER / "command.zip")


@flow
def the_command_downloads_a_compendium() -> None:
    _command("download-compendium", "--organism", "HOMO_SAPIENS", "--path", "command-compendium.zip")
    assert lock_of(FOLDER / "command-compendium.zip")["number"] == 2
    words = ("--organism", "HOMO_SAPIENS", "--path", "command-quantfiles.zip")
    _command("download-quantfile-compendium", *words)
    assert "SRP20/R1_quant.sf" in members(FOLDER / "command-quantfiles.zip")


@flow
def the_command_describes() -> None:
    assert "list of samples" in _command("describe", "Sample.search").lower()
