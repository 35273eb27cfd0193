"""The partition sets of the platform. All are dynamic: keys are added when something is registered."""

from dagster import DynamicPartitionsDefinition

DATASET = "dataset"
EXPERIMENT = "experiment"
ORGANISM = "organism"
PLATFORM = "platform"
SAMPLE = "sample"

dataset_partitions = DynamicPartitionsDefinition(name=DATASET)
experiment_partitions = DynamicPartitionsDefinition(name=EXPERIMENT)
organism_partitions = DynamicPartitionsDefinition(name=ORGANISM)
platform_partitions = DynamicPartitionsDefinition(name=PLATFORM)
sample_partitions = DynamicPartitionsDefinition(name=SAMPLE)
