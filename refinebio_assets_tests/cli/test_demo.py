"""The demo as a newcomer runs it: a simulated world, its matrices, and how well they agree with the truth."""

from __future__ import annotations

import re

from refinebio_assets.cli.exit_codes import DONE
from refinebio_assets_tests.cli.conftest import Run


def test_the_demo_agrees_with_the_truth_and_does_nothing_the_second_time(refinebio: Run) -> None:
    first = refinebio("demo")
    assert first.returncode == DONE, first.stdout + first.stderr
    rows = re.findall(r"^ *SRP90000\d +SRR\d+ +(\d+) +([\d.]+) +([\d.]+)", first.stdout, re.MULTILINE)
    assert len(rows) == 10
    assert all(int(genes) > 80 and float(spearman) > 0.95 for genes, spearman, _ in rows)
    line = r"^ *(?:GSE90000\d|E-MTAB-900001) +\S+ +(from raw|submitter-processed) +\d+ +([\d.]+) *$"
    arrays = re.findall(line, first.stdout, re.MULTILINE)
    assert [processing for processing, _ in arrays].count("submitter-processed") == 5
    assert len(arrays) == 16 and all(float(spearman) > 0.8 for _, spearman in arrays)
    assert "Submitter-processed samples, and why they are not processed from raw data" in first.stdout
    assert "SIMULATUM_DEMONSTRANS" in first.stdout and "demo-by-species.zip" in first.stdout
    assert "Technology explains" in first.stdout
    assert "make ui" in first.stdout
    second = refinebio("demo")
    assert second.returncode == DONE
    assert second.stdout.count("up to date, nothing to do") == 15
