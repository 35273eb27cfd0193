"""The lake's tables: one declared schema each, from which Arrow, DuckDB and the docs follow.

Columns may be added later (old Parquet then reads as missing there); a column never changes its type
or meaning. How rows are written and read is in `parquet.py`, how they reach DuckDB in `loading.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from refinebio_assets.lake.table import COMMIT_COLUMNS, IS_CURRENT, Column, ColumnType, Scope, Table

__all__ = [
    "COMMITS",
    "PROBLEMS",
    "TABLES",
    "VIEWS",
    "Column",
    "ColumnType",
    "Scope",
    "Table",
    "tables_markdown",
]


def tables_markdown() -> str:
    """Return the docs' section on all tables, those that commits carry and the catalog's own."""
    return "\n".join(table.markdown() for table in (*TABLES.values(), COMMITS, PROBLEMS))


def _string(name: str, description: str, *, required: bool = True) -> Column:
    return Column(name, ColumnType.STRING, description, required)


def _strings(name: str, description: str, *, required: bool = True) -> Column:
    return Column(name, ColumnType.STRINGS, description, required)


def _int(name: str, description: str, *, required: bool = False) -> Column:
    return Column(name, ColumnType.INT64, description, required)


def _float(name: str, description: str, *, required: bool = False) -> Column:
    return Column(name, ColumnType.FLOAT64, description, required)


def _bool(name: str, description: str, *, required: bool = False) -> Column:
    return Column(name, ColumnType.BOOL, description, required)


def _time(name: str, description: str, *, required: bool = False) -> Column:
    return Column(name, ColumnType.TIMESTAMP, description, required)


_EXPERIMENT = _string("experiment", "Accession of the experiment.")
_SAMPLE = _string("sample", "Accession of the sample.")
_ORGANISM = _string("organism", "Organism, as in `HOMO_SAPIENS`.")
_TECHNOLOGY = _string("technology", "`RNA-SEQ` or `MICROARRAY`.")
_PLATFORM = _string("platform", "Sequencer or microarray, as the source names it.", required=False)
_REASON = _string("reason", "Why, when it did not succeed.", required=False)
_PERMANENT = _bool("permanent", "Whether trying again would give the same answer.")
_SIZE = _int("size", "Size in bytes.")
_MD5 = _string("md5", "MD5 of the content.", required=False)
_SHA256 = _string("sha256", "SHA-256 of the content.", required=False)

_DECLARED = (
    Table(
        "registered_samples",
        "Samples as they were registered, with what defines each.",
        Scope.CURRENT,
        (_EXPERIMENT, _SAMPLE, _string("definition", "Hash of what the sample was registered with.")),
    ),
    Table(
        "experiments",
        "Experiments as their source describes them.",
        Scope.CURRENT,
        (
            _EXPERIMENT,
            _string("source", "Where the record is from: an archive or a sample sheet."),
            _string("title", "Title as submitted.", required=False),
            _string("description", "Description as submitted.", required=False),
            _strings("organisms", "Organisms of its samples, sorted."),
            _strings("technologies", "Technologies of its samples, sorted."),
            _int("sample_count", "Number of samples.", required=True),
        ),
    ),
    Table(
        "samples",
        "Samples of each experiment.",
        Scope.CURRENT,
        (
            _EXPERIMENT,
            _SAMPLE,
            _ORGANISM,
            _TECHNOLOGY,
            _PLATFORM,
            _string("title", "Title as submitted.", required=False),
        ),
    ),
    Table(
        "sample_metadata",
        "What submitters said about samples, untouched: one row a key.",
        Scope.CURRENT,
        (
            _EXPERIMENT,
            _SAMPLE,
            _string("key", "Key as submitted."),
            _string("value", "Value as submitted.", required=False),
        ),
    ),
    Table(
        "files",
        "Source files of samples, in the lake or with the reason why not.",
        Scope.CURRENT,
        (
            _EXPERIMENT,
            _SAMPLE,
            _string("role", "What the file is for, as in the sample sheet's columns."),
            _string("origin", "Path or URL that the file was read from."),
            _string("name", "File name.", required=False),
            _SIZE,
            _string("modified", "Opaque text that changes when the file at the origin does.", required=False),
            _MD5,
            _SHA256,
            _string("path", "Path under the lake's root; empty when it is not there.", required=False),
            _int("reads", "Number of reads in a FASTQ file."),
            _float("mean_read_length", "Mean read length of a FASTQ file, in bases."),
            _string("verdict", "`processed` or `failed`.", required=False),
            _REASON,
            _PERMANENT,
        ),
    ),
    Table(
        "results",
        "What became of each sample each time its experiment was quantified.",
        Scope.HISTORY,
        (
            _EXPERIMENT,
            _SAMPLE,
            _string("version", "Hash of the result's content.", required=False),
            _string("verdict", "`processed`, `failed` or `not supported`."),
            _REASON,
            _PERMANENT,
            _string("why", "Why it was processed this time.", required=False),
            _string("processor", "Name of the processor.", required=False),
            _string("processor_version", "Version of its program.", required=False),
            _string("command", "Command line as run.", required=False),
            _string("reference", "Version of the reference asset that was used.", required=False),
            _float("mapping_rate", "Fraction of fragments that mapped, 0 to 1."),
            _string("library_type", "Library type as Salmon names it.", required=False),
            _int("reads_processed", "Fragments read; a pair counts once."),
            _int("reads_mapped", "Fragments mapped; a pair counts once."),
            _float("mean_fragment_length", "Mean length of the fragments of a paired sample, in bases."),
            _strings("warnings", "What is odd about the result.", required=False),
            _time("started_at", "When processing began."),
            _float("duration_seconds", "How long it took, in seconds."),
            _string("file_path", "Path of the result under the lake's root.", required=False),
            _int("file_size", "Size of the result in bytes."),
            _string("file_sha256", "SHA-256 of the result file.", required=False),
        ),
    ),
    Table(
        "matrices",
        "Expression matrices of experiments, genes x samples.",
        Scope.CURRENT,
        (
            _EXPERIMENT,
            _string("matrix", "Name of the matrix within the experiment."),
            _TECHNOLOGY,
            _PLATFORM,
            _string("organism", "Organism, as in `HOMO_SAPIENS`.", required=False),
            _int("genes", "Number of rows.", required=True),
            _int("samples", "Number of sample columns.", required=True),
            _int("transcripts", "Transcripts that were summarized."),
            _int("mapped_transcripts", "Transcripts among them that have a gene."),
            _string("path", "Name of the file in its commit."),
            _string("version", "Hash of the matrix's content."),
        ),
    ),
    Table(
        "lineage",
        "Which version of an output was made from which version of an input.",
        Scope.HISTORY,
        (
            _string("output_asset", "Asset that was made."),
            _string("output_partition", "Its partition."),
            _string("output_version", "Its version."),
            _string("input_asset", "Asset that it was made from."),
            _string("input_partition", "Its partition."),
            _string("input_version", "Its version."),
        ),
    ),
    Table(
        "dropped",
        "Everything that was left out of a result, and why.",
        Scope.HISTORY,
        (
            _string("kind", "`sample` or `transcript`."),
            _string("item", "What was left out."),
            _string("step", "At which step."),
            _string("reason", "Why."),
            _PERMANENT,
        ),
    ),
    Table(
        "transcriptomes",
        "Transcriptome indices that reads can be quantified with.",
        Scope.CURRENT,
        (
            _ORGANISM,
            _string("version", "Hash of the indices' and the gene map's content."),
            _string("division", "Ensembl division.", required=False),
            _string("release", "Ensembl release.", required=False),
            _string("assembly", "Genome assembly.", required=False),
            _string("source", "Who provides genome and genes.", required=False),
            _int("transcripts", "Transcripts in the indices."),
            _int("genes", "Genes in the gene map."),
            _int("mapped_transcripts", "Transcripts that have a gene."),
            _int("pseudogene_lines", "Lines of the GTF that were left out for the word pseudogene."),
            _string("salmon_version", "Version of Salmon that built the indices.", required=False),
            _int("short_kmer", "k of the index for short reads."),
            _int("long_kmer", "k of the index for long reads."),
        ),
    ),
    Table(
        "sources",
        "Files from outside that references were made from.",
        Scope.CURRENT,
        (
            _ORGANISM,
            _string("role", "What the file is for."),
            _string("origin", "Path or URL that the file was read from."),
            _SIZE,
            _MD5,
            _SHA256,
        ),
    ),
)
TABLES: Mapping[str, Table] = {table.name: table for table in _DECLARED}

# The catalog's own tables: no commit carries them.
COMMITS = Table(
    "commits",
    "All sound commits that the catalog knows.",
    Scope.HISTORY,
    (
        _string("id", "Id of the commit; sorts by time."),
        _string("asset", "Asset."),
        _string("partition", "Partition of the asset."),
        _string("version", "Hash of content."),
        _string("code_version", "Version of the code's meaning, set by hand."),
        _time("created_at", "When it was committed.", required=True),
        _string("run_id", "Run that made it."),
        IS_CURRENT,
    ),
    of_catalog=True,
)
PROBLEMS = Table(
    "problems",
    "Commits that could not be read; they are left out until they can be.",
    Scope.CURRENT,
    (*COMMIT_COLUMNS, _string("problem", "What is wrong with the commit.")),
    of_catalog=True,
)

VIEWS: Mapping[str, str] = {
    "processors": """
        SELECT processor, processor_version AS version, count(DISTINCT sample) AS samples
        FROM results WHERE is_current AND processor IS NOT NULL
        GROUP BY processor, processor_version
    """,
    "organisms": """
        SELECT organism,
               count(DISTINCT experiment) AS experiments,
               count(DISTINCT sample) AS samples,
               bool_or(has_transcriptome) AS has_transcriptome
        FROM (SELECT organism, experiment, sample, false AS has_transcriptome FROM samples
              UNION ALL SELECT organism, NULL, NULL, true FROM transcriptomes)
        GROUP BY organism
    """,
}
