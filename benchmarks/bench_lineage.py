"""How long a lineage takes on a catalog of a million samples: 50,000 experiments, 200 datasets.

The catalog is simulated in SQL with the declared tables; the questions are those of `refinebio-assets
lineage`, each in a process of its own, so that nothing is in memory from the one before.
Run it: ``.venv/bin/python benchmarks/bench_lineage.py [--samples N]``.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.loading import schema_fingerprint, schema_statements
from refinebio_assets.lake.published import PublishedFiles
from refinebio_assets.lake.store import Lake

SAMPLES_OF_AN_EXPERIMENT = 20
EXPERIMENTS_OF_A_DATASET = 250

_FILL = """
CREATE TEMP TABLE s AS SELECT i, 'SRR' || (1000000 + hash(i) % 90000000) AS sample,
    'SRP' || lpad((i // {per})::VARCHAR, 7, '0') AS experiment, i // {per} AS e,
    sha256('quant' || i) AS version FROM range({samples}) t(i);
CREATE TEMP TABLE e AS SELECT DISTINCT e, experiment FROM s;
CREATE TEMP TABLE c AS SELECT e, experiment, asset, step,
    '20261128T' || lpad(step::VARCHAR, 6, '0') || '.' || lpad((e % 1000000)::VARCHAR, 6, '0') || 'Z-'
        || lpad(to_hex(e), 8, '0') AS id, sha256(asset || e) AS version
  FROM e, (VALUES ('experiment_record', 1), ('harmonized_metadata', 2), ('raw_files', 3),
                  ('sample_quantifications', 4), ('gene_expression', 5)) AS steps(asset, step);
INSERT INTO commits BY NAME SELECT id, asset, experiment AS partition, version, '1' AS code_version,
    TIMESTAMPTZ '2026-11-28 00:00:00+00' AS created_at, 'run' || e AS run_id,
    'refinebio-assets 0.1.0' AS software, true AS is_current FROM c;
INSERT INTO results BY NAME SELECT c.experiment, s.sample, s.version, 'processed' AS verdict,
    'Salmon' AS processor, '1.10.' || (s.i % 3) AS processor_version, 0.9 AS mapping_rate,
    'salmon quant ' || s.sample AS command, c.id AS commit_id, c.asset, c.experiment AS partition,
    true AS is_current, [] AS warnings
  FROM s JOIN c USING (e) WHERE c.asset = 'sample_quantifications';
INSERT INTO files BY NAME SELECT c.experiment, s.sample, 'fastq_' || k AS role,
    'ftp://example/' || s.sample || '_' || k || '.fastq.gz' AS origin, s.sample || '_' || k AS name,
    1000000 AS size, sha256('file' || s.i || '_' || k) AS sha256, c.id AS commit_id, c.asset,
    c.experiment AS partition, true AS is_current
  FROM s JOIN c USING (e), range(1, 3) ks(k) WHERE c.asset = 'raw_files';
INSERT INTO lineage BY NAME SELECT 'sample_quantification' AS output_asset, s.sample AS output_partition,
    s.version AS output_version, input.asset AS input_asset, input.partition AS input_partition,
    input.partition AS input_version, c.id AS commit_id, c.asset, c.experiment AS partition,
    true AS is_current
  FROM s JOIN c USING (e), LATERAL (VALUES ('file', sha256('file' || s.i || '_1')),
       ('file', sha256('file' || s.i || '_2')),
       ('transcriptome_index', 'HOMO_SAPIENS')) AS input(asset, partition)
  WHERE c.asset = 'sample_quantifications';
INSERT INTO lineage BY NAME SELECT o.asset AS output_asset, o.experiment AS output_partition,
    o.version AS output_version, i.asset AS input_asset, i.experiment AS input_partition,
    i.version AS input_version, o.id AS commit_id, o.asset, o.experiment AS partition, true AS is_current
  FROM c o JOIN c i USING (e) WHERE o.step > i.step AND o.asset <> 'harmonized_metadata';
INSERT INTO transcriptomes BY NAME SELECT 'HOMO_SAPIENS' AS organism, 'HOMO_SAPIENS' AS version,
    '110' AS release, 'GRCh38' AS assembly, '1.10.1' AS salmon_version, 'index' AS commit_id,
    'transcriptome_index' AS asset, 'HOMO_SAPIENS' AS partition, true AS is_current;
INSERT INTO commits BY NAME SELECT 'index' AS id, 'transcriptome_index' AS asset, 'HOMO_SAPIENS' AS partition,
    'HOMO_SAPIENS' AS version, '1' AS code_version, TIMESTAMPTZ '2026-11-28 00:00:00+00' AS created_at,
    '' AS run_id, true AS is_current;
INSERT INTO commits BY NAME SELECT 'dataset' || d AS id, 'dataset_matrices' AS asset, 'D' || d AS partition,
    'D' || d AS version, '1' AS code_version, TIMESTAMPTZ '2026-11-28 00:00:00+00' AS created_at,
    '' AS run_id, true AS is_current FROM range(200) t(d);
INSERT INTO lineage BY NAME SELECT 'dataset_matrices' AS output_asset, 'D' || d AS output_partition,
    'D' || d AS output_version, 'gene_expression' AS input_asset, c.experiment AS input_partition,
    c.version AS input_version, 'dataset' || d AS commit_id, 'dataset_matrices' AS asset,
    'D' || d AS partition, true AS is_current
  FROM range(200) t(d) JOIN c ON c.e % 200 = d AND c.asset = 'gene_expression';
INSERT INTO registered_samples BY NAME SELECT experiment, sample, 'd' AS definition, c.id AS commit_id,
    'experiment_registration' AS asset, experiment AS partition FROM s JOIN c USING (e, experiment)
  WHERE c.asset = 'experiment_record';
INSERT INTO samples BY NAME SELECT experiment, sample, 'HOMO_SAPIENS' AS organism, 'RNA-SEQ' AS technology,
    c.id AS commit_id, c.asset, experiment AS partition FROM s JOIN c USING (e, experiment)
  WHERE c.asset = 'experiment_record';
"""


def simulate(folder: Path, samples: int) -> None:
    """Make a lake whose catalog has these many samples; its log is empty."""
    (folder / "log").mkdir(parents=True, exist_ok=True)
    catalog = Catalog(Lake(str(folder)))
    files = PublishedFiles(catalog.folder)
    with files.lock(wait=True, timeout=10), files.building() as building:
        path = building / "catalog.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(";\n".join(schema_statements()))
            connection.execute(_FILL.format(samples=samples, per=SAMPLES_OF_AN_EXPERIMENT))
            connection.execute("CHECKPOINT")
        files.publish(path, schema_fingerprint())


def names(folder: Path) -> tuple[str, str, str]:
    """Return a sample, its experiment and one of its files, from the middle."""
    query = """SELECT sample, experiment FROM results ORDER BY commit_id, sample
               LIMIT 1 OFFSET (SELECT count(*) // 2 FROM results)"""
    with Catalog(Lake(str(folder))).connect() as connection:
        sample, experiment = connection.execute(query).fetchall()[0]
        (sha,) = connection.execute("SELECT sha256 FROM files WHERE sample = ? LIMIT 1", [sample]).fetchall()[
            0
        ]
    return sample, experiment, sha


def main() -> None:
    """Simulate, ask, and print the seconds of each question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="Keep the lake here; it is used again when it is there.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        if not (folder / "catalog" / "CURRENT").exists():
            began = time.perf_counter()
            simulate(folder, options.samples)
            print(f"simulated {options.samples:,} samples in {time.perf_counter() - began:.0f} s")
        sample, experiment, sha = names(folder)
        questions = [
            ["dataset:D7"],
            [f"experiment:{experiment}"],
            [f"sample:{sample}"],
            [f"file:{sha}"],
            [f"sample:{sample}", "--down"],
            [f"file:{sha}", "--down"],
            ["transcriptome_index:HOMO_SAPIENS", "--down"],
        ]
        print(f"{'question':<50} {'wall':>7} {'CPU':>7}   seconds, start of Python included")
        for question in questions:
            wall, processor = ask(folder, question)
            print(f"{' '.join(question)[:49]:<50} {wall:7.2f} {processor:7.2f}")


def ask(folder: Path, question: list[str]) -> tuple[float, float]:
    """Return the seconds that the command takes, by the clock and of processor time."""
    command = [sys.executable, "-m", "refinebio_assets.cli.main", "--home", str(folder), "lineage", *question]
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, "--as-is"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, used


if __name__ == "__main__":
    main()
