"""Runs all flows, and prints how many there are and which failed: a JSON object, name -> traceback."""

from __future__ import annotations

import json
import sys
import traceback
from io import StringIO

from refinebio_assets_tests.api.client_flows import command, datasets, files, finding, looking_up
from refinebio_assets_tests.api.client_flows.flow import FLOWS

ORDER = [module.__name__ for module in (finding, looking_up, datasets, files, command)]


def main() -> None:
    problems = {}
    output, sys.stdout = sys.stdout, StringIO()
    ordered = sorted(FLOWS.items(), key=lambda flow: ORDER.index(flow[1].__module__))
    for name, run in ordered:
        try:
            run()
        except Exception:  # noqa: BLE001 -- each flow is judged by itself
            problems[name] = traceback.format_exc()
    output.write(json.dumps({"flows": len(FLOWS), "problems": problems}))


if __name__ == "__main__":
    main()
