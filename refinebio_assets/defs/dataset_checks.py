"""Asset checks of datasets: the publish gate, asked of what was published."""

from refinebio_assets.defs.assets.datasets import dataset_bundle
from refinebio_assets.defs.gate_checks import gate_checks
from refinebio_assets.defs.partitions import dataset_partitions
from refinebio_assets.pipelines.datasets.bundle import inspect_commit

the_bundle_keeps_its_promises = gate_checks(
    "the_bundle_keeps_its_promises", dataset_bundle, dataset_partitions, inspect_commit
)
