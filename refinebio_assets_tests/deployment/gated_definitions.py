"""The platform's definitions, with a gate where samples are committed, so that tests can stop them there.

A sample that is done waits while a file of its name is in the folder ``GATE``, and says so by a file
NAME.waiting beside it.
"""

import os
import time
from pathlib import Path
from typing import Any

from refinebio_assets import definitions
from refinebio_assets.lake.draft import Draft
from refinebio_assets.lake.records import Commit

commit = Draft.commit


def commit_when_open(draft: Draft, **arguments: Any) -> Commit:
    """Commit a sample once its gate is open, anything else at once."""
    gate = Path(os.environ["GATE"]) / draft.partition
    while draft.asset == "sample_quantification" and gate.exists():
        gate.with_suffix(".waiting").touch()
        time.sleep(0.1)
    return commit(draft, **arguments)


Draft.commit = commit_when_open  # type: ignore[method-assign]
defs = definitions.defs
