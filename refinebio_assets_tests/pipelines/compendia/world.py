"""A small lake: arrays of two platforms and sequencing of one organism, and what is known of the samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from refinebio_assets.domain import Processing, Technology
from refinebio_assets_tests.pipelines.datasets.world import ARRAY, HUMAN, OTHER_ARRAY, Made, World

GENES = tuple(f"ENSG{number:011d}" for number in range(1, 81))
ORGANISM = HUMAN
_FACTORS = 3


def compendium_world(folder: Path) -> World:
    """Return arrays in GSE1, GSE2 and both platforms in GSE3, sequencing in SRP1 and SRP2; a target.

    Sex differs within experiments, disease between them. SUB1 was processed by its submitter.
    """
    rng = np.random.default_rng(0)
    level, loadings = rng.gamma(4.0, 2.0, len(GENES)), rng.standard_normal((len(GENES), _FACTORS))
    world = World(folder)
    for number in (1, 2, 3):
        for place in range(6):
            world.metadata[f"GSM{number}{place}"] = [
                ("title", f"sample {place}"),
                ("sex", ("male", "female")[place % 2]),
                ("disease", ("cancer", "normal")[number % 2]),
            ]

    def values(count: int) -> np.ndarray:
        noise = 0.3 * rng.standard_normal((len(GENES), count))
        return level[:, None] + loadings @ rng.standard_normal((_FACTORS, count)) + noise

    def arrays(samples: list[str], measured: slice, **options: object) -> Made:
        found = values(len(samples))[measured]
        genes = GENES[measured]
        return Made(samples, found, genes, Technology.MICROARRAY, **options)  # type: ignore[arg-type]

    names = {number: [f"GSM{number}{place}" for place in range(6)] for number in (1, 2, 3)}
    world.add("GSE1", arrays(names[1], slice(0, 72), platform=ARRAY))
    submitted = arrays(["SUB1"], slice(0, 80), platform=ARRAY, processing=Processing.SUBMITTER_PROCESSED)
    world.add("GSE2", arrays(names[2], slice(8, 80), platform=OTHER_ARRAY), submitted)
    first, second = names[3][:3], names[3][3:]
    world.add(
        "GSE3",
        arrays(first, slice(0, 72), platform=ARRAY),
        arrays(second, slice(8, 80), platform=OTHER_ARRAY),
    )
    for number in (1, 2):
        reads = np.maximum(np.exp2(values(9)) - 1.0, 0.0)
        world.add(f"SRP{number}", Made([f"SRR{number}{place}" for place in range(9)], reads, GENES))
    world.target(values=np.sort(rng.gamma(4.0, 2.0, 100)).tolist())
    return world
