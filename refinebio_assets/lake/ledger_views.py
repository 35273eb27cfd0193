"""The ledger: what became of every surveyed sample, what it cost, and totals; as views of the catalog."""

from __future__ import annotations

from refinebio_assets.lake.view import View

_COSTS = {
    "wall_seconds": "Seconds that the newest quantification took, by the clock.",
    "cpu_seconds": "Seconds of processor time that it took.",
    "shared_wall_seconds": "Its share of the seconds that all other steps last took.",
    "shared_cpu_seconds": "Its share of the processor time of that.",
    "peak_memory_bytes": "Most memory that a program, or without one the process, held for one sample.",
    "bytes_in": "Bytes of source files that were read.",
    "bytes_out": "Bytes of the results.",
}
_COUNTS = {
    "surveyed": "Samples that the source lists.",
    "processed": "Samples that are in a matrix.",
    "filtered": "Samples that no pipeline serves, or that rules leave out.",
    "failed": "Samples that should be in a matrix and are not.",
    "pending": "Samples whose turn has not come.",
}
_SUMS = """count(*) AS surveyed,
               count(*) FILTER (state = 'processed') AS processed,
               count(*) FILTER (state = 'filtered') AS filtered,
               count(*) FILTER (state = 'failed') AS failed,
               count(*) FILTER (state = 'pending') AS pending,
               coalesce(sum(wall_seconds), 0) AS wall_seconds,
               coalesce(sum(cpu_seconds), 0) AS cpu_seconds,
               coalesce(sum(shared_wall_seconds), 0) AS shared_wall_seconds,
               coalesce(sum(shared_cpu_seconds), 0) AS shared_cpu_seconds,
               max(peak_memory_bytes) AS peak_memory_bytes,
               coalesce(sum(bytes_in), 0)::BIGINT AS bytes_in,
               coalesce(sum(bytes_out), 0)::BIGINT AS bytes_out"""

LEDGER_VIEWS = (
    View(
        "ledger",
        "What became of every surveyed sample, and what it cost. One row an experiment and sample.",
        {
            "experiment": "Accession of the experiment.",
            "sample": "Accession of the sample.",
            "organism": "Organism, as in `HOMO_SAPIENS`.",
            "state": "`processed`, `filtered`, `failed` or `pending`.",
            "reason": "Why it is in no matrix.",
            "permanent": "Whether a failure stays until something changes.",
            **_COSTS,
        },
        """
        SELECT e.experiment, e.sample, s.organism,
               CASE WHEN f.sample IS NOT NULL OR r.verdict = 'not supported' THEN 'filtered'
                    WHEN r.verdict = 'failed' OR d.sample IS NOT NULL THEN 'failed'
                    WHEN r.verdict = 'processed' AND m.experiment IS NOT NULL THEN 'processed'
                    ELSE 'pending' END AS state,
               coalesce(f.reason, d.reason, nullif(r.reason, ''),
                        CASE WHEN r.verdict = 'processed' AND m.experiment IS NULL THEN 'not summarized yet'
                             WHEN r.verdict IS NULL THEN 'not processed yet' END) AS reason,
               coalesce(d.permanent, r.permanent) AS permanent,
               r.duration_seconds AS wall_seconds, r.cpu_seconds,
               k.wall_seconds / count(*) OVER (PARTITION BY e.experiment) AS shared_wall_seconds,
               k.cpu_seconds / count(*) OVER (PARTITION BY e.experiment) AS shared_cpu_seconds,
               r.peak_memory_bytes,
               i.bytes_in, r.file_size AS bytes_out
        FROM (SELECT experiment, sample FROM samples
              UNION SELECT experiment, sample FROM registered_samples
              UNION SELECT "partition", item FROM dropped
                    WHERE is_current AND kind = 'sample' AND asset = 'experiment_record') e
        LEFT JOIN samples s ON s.experiment = e.experiment AND s.sample = e.sample
        LEFT JOIN (SELECT "partition" AS experiment, item AS sample, any_value(reason) AS reason FROM dropped
                   WHERE is_current AND kind = 'sample' AND asset = 'experiment_record' GROUP BY ALL) f
          ON f.experiment = e.experiment AND f.sample = e.sample
        LEFT JOIN (SELECT "partition" AS experiment, item AS sample, max_by(reason, commit_id) AS reason,
                          max_by(permanent, commit_id) AS permanent
                   FROM dropped WHERE is_current AND kind = 'sample'
                     AND asset IN ('raw_files', 'sample_quantifications', 'gene_expression') GROUP BY ALL) d
          ON d.experiment = e.experiment AND d.sample = e.sample
        LEFT JOIN (SELECT * FROM results WHERE is_current) r
          ON r.experiment = e.experiment AND r.sample = e.sample
        LEFT JOIN (SELECT DISTINCT experiment FROM matrices) m ON m.experiment = e.experiment
        LEFT JOIN (SELECT experiment, sample, sum(size)::BIGINT AS bytes_in FROM files
                   WHERE is_current GROUP BY ALL) i
          ON i.experiment = e.experiment AND i.sample = e.sample
        LEFT JOIN (SELECT experiment, sum(wall_seconds) AS wall_seconds, sum(cpu_seconds) AS cpu_seconds
                   FROM step_costs WHERE is_current AND asset <> 'sample_quantifications'
                   GROUP BY experiment) k ON k.experiment = e.experiment
        """,
    ),
    View(
        "ledger_by_experiment",
        "The ledger's totals of each experiment.",
        {"experiment": "Accession of the experiment.", **_COUNTS, **_COSTS},
        f"SELECT experiment, {_SUMS} FROM ledger GROUP BY experiment",
    ),
    View(
        "ledger_by_organism",
        "The ledger's totals of each organism.",
        {"organism": "Organism, as in `HOMO_SAPIENS`.", **_COUNTS, **_COSTS},
        f"SELECT organism, {_SUMS} FROM ledger GROUP BY organism",
    ),
)
