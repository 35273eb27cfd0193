"""The lake's tables: one declared schema each, from which Arrow, DuckDB and the docs follow.

Columns may be added later (old Parquet then reads as missing there); a column never changes its type
or meaning. How rows are written and read is in `parquet.py`, how they reach DuckDB in `loading.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from refinebio_assets.lake.columns import (
    EXPERIMENT,
    MD5,
    MICROARRAY,
    ORGANISM,
    PERMANENT,
    PLATFORM,
    REASON,
    SAMPLE,
    SHA256,
    SIZE,
    TECHNOLOGY,
    boolean,
    float64,
    int64,
    string,
    strings,
    timestamp,
)
from refinebio_assets.lake.compendium_tables import COMPENDIUM_TABLES
from refinebio_assets.lake.dataset_tables import DATASET_TABLES
from refinebio_assets.lake.discovery_tables import DISCOVERY_TABLES
from refinebio_assets.lake.experiment_tables import EXPERIMENT_TABLES
from refinebio_assets.lake.removal_tables import REMOVAL_TABLES
from refinebio_assets.lake.table import COMMIT_COLUMNS, IS_CURRENT, Column, ColumnType, Scope, Table
from refinebio_assets.lake.target_tables import TARGET_TABLES
from refinebio_assets.lake.understood_tables import UNDERSTOOD_TABLES
from refinebio_assets.lake.view import View
from refinebio_assets.lake.views import VIEWS

__all__ = [
    "COMMITS",
    "PROBLEMS",
    "TABLES",
    "VIEWS",
    "Column",
    "ColumnType",
    "Scope",
    "Table",
    "View",
    "tables_markdown",
]


def tables_markdown() -> str:
    """Return the docs' section on all tables and views, those that commits carry and the catalog's own."""
    tables = [table.markdown() for table in (*TABLES.values(), COMMITS, PROBLEMS)]
    return "\n".join([*tables, *(view.markdown() for view in VIEWS.values())])


_DECLARED = (
    *EXPERIMENT_TABLES,
    Table(
        "files",
        "Source files of samples, in the lake or with the reason why not.",
        Scope.HISTORY,
        (
            EXPERIMENT,
            SAMPLE,
            string("role", "What the file is for, as in the sample sheet's columns."),
            string("origin", "Path or URL that the file was read from."),
            string("name", "File name.", required=False),
            SIZE,
            string("modified", "Opaque text that changes when the file at the origin does.", required=False),
            MD5,
            SHA256,
            string("path", "Path under the lake's root; empty when it is not there.", required=False),
            int64("reads", "Number of reads in a FASTQ file."),
            float64("mean_read_length", "Mean read length of a FASTQ file, in bases."),
            string("verdict", "`processed` or `failed`.", required=False),
            REASON,
            PERMANENT,
            string(
                "member", "The file's path in the archive at `origin`, when it is in one.", required=False
            ),
            int64("origin_size", "Size in bytes of what is at `origin`; 0 when it is not said."),
            string("chip_type", "Array as a CEL file names it.", required=False),
        ),
    ),
    Table(
        "results",
        "What became of each sample each time its experiment was quantified.",
        Scope.HISTORY,
        (
            EXPERIMENT,
            SAMPLE,
            string("version", "Hash of the result's content.", required=False),
            string("verdict", "`processed`, `failed` or `not supported`."),
            REASON,
            PERMANENT,
            string("why", "Why it was processed this time.", required=False),
            string("processor", "Name of the processor.", required=False),
            string("processor_version", "Version of its program.", required=False),
            string("command", "Command line as run.", required=False),
            string("reference", "Version of the reference asset that was used.", required=False),
            float64("mapping_rate", "Fraction of fragments that mapped, 0 to 1."),
            string("library_type", "Library type as Salmon names it.", required=False),
            int64("reads_processed", "Fragments read; a pair counts once."),
            int64("reads_mapped", "Fragments mapped; a pair counts once."),
            float64("mean_fragment_length", "Mean length of the fragments of a paired sample, in bases."),
            strings("warnings", "What is odd about the result.", required=False),
            timestamp("started_at", "When processing began."),
            float64("duration_seconds", "How long it took, in seconds."),
            float64("cpu_seconds", "Processor time it took, in seconds."),
            int64(
                "peak_memory_bytes",
                "Most memory its program held; without a program the most that the whole process had held.",
            ),
            string("file_path", "Path of the result under the lake's root.", required=False),
            int64("file_size", "Size of the result in bytes."),
            string("file_sha256", "SHA-256 of the result file.", required=False),
            string("processing", "`from raw`, or `submitter-processed` values.", required=False),
            string("processing_reason", "Why it was not processed from raw data.", required=False),
            string("platform", "Array by whose annotation or gene index it has genes.", required=False),
            string("reference_asset", "The asset that `reference` is a version of.", required=False),
            string("detected_platform", "BeadArray that the ids of its table are of.", required=False),
            float64("detection_percentage", "Share of that platform's probes in the table, 0 to 100."),
            float64("mapped_percentage", "Share of the table's ids that are its probes, 0 to 100."),
            strings("notes", "What was repaired or passed over in its file.", required=False),
        ),
    ),
    Table(
        "step_costs",
        "What each step of an experiment cost as a whole, each time: from the survey (`experiment_record`) "
        "to summarizing (`gene_expression`).",
        Scope.HISTORY,
        (
            EXPERIMENT,
            int64("samples", "For how many samples it was; missing in old rows."),
            float64("wall_seconds", "Seconds that it took."),
            float64("cpu_seconds", "Processor time, of programs too, in seconds."),
            int64("peak_memory_bytes", "Most memory that the process held meanwhile."),
            int64("bytes_in", "Bytes that came in: from the sources, or read of quantifications."),
            int64("bytes_out", "Bytes that were written to the lake."),
        ),
    ),
    *UNDERSTOOD_TABLES,
    Table(
        "array_quality",
        "How each array was: intensities, the fit, and the distribution of its values.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            SAMPLE,
            string("platform", "Microarray whose annotation was used."),
            string("scan_date", "When the array was scanned.", required=False),
            float64("zeros", "Share of probes with intensity 0."),
            float64("saturated", "Share of probes at the scanner's ceiling."),
            int64("iterations", "Iterations of the fit."),
            boolean("converged", "Whether the fit settled."),
            float64("background_share", "Share of the probes that the model takes for background."),
            float64("sequence_share", "Share of the intensities' variance that sequences explain."),
            float64("minimum", "Lowest value."),
            float64("lower_quartile", "Lower quartile of the values."),
            float64("median", "Median of the values."),
            float64("upper_quartile", "Upper quartile of the values."),
            float64("maximum", "Highest value."),
        ),
    ),
    Table(
        "array_agreement",
        "How alike each array is to the other arrays of its matrix.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            SAMPLE,
            string("matrix", "Name of the matrix within the experiment."),
            float64("correlation", "Pearson's correlation with the median of the matrix's arrays."),
        ),
    ),
    Table(
        "matrices",
        "Expression matrices of experiments, genes x samples.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            string("matrix", "Name of the matrix within the experiment."),
            TECHNOLOGY,
            PLATFORM,
            string("organism", "Organism, as in `HOMO_SAPIENS`.", required=False),
            int64("genes", "Number of rows.", required=True),
            int64("samples", "Number of sample columns.", required=True),
            int64("transcripts", "Transcripts that were summarized."),
            int64("mapped_transcripts", "Transcripts among them that have a gene."),
            string("path", "Name of the file in its commit."),
            string("version", "Hash of the matrix's content."),
            string("level", "What a row is: `gene` or `probe set`.", required=False),
            string("processing", "`from raw`, or `submitter-processed` values.", required=False),
            string(
                "reference", "Version of the index, gene map or annotation that gave genes.", required=False
            ),
            int64("missing_values", "Cells without a value (NaN): the sample has none of the gene's probes."),
            string("unit", "What the values are, as `lengthScaledTPM` or `SCAN`.", required=False),
        ),
    ),
    Table(
        "lineage",
        "Which version of an output was made from which version of an input.",
        Scope.HISTORY,
        (
            string("output_asset", "Asset that was made."),
            string("output_partition", "Its partition."),
            string("output_version", "Its version."),
            string("input_asset", "Asset that it was made from."),
            string("input_partition", "Its partition."),
            string("input_version", "Its version."),
        ),
    ),
    Table(
        "dropped",
        "Everything that was left out of a result, and why.",
        Scope.HISTORY,
        (
            string("kind", "`sample`, `transcript`, `probe`, `gene` or `file`."),
            string("item", "What was left out."),
            string("step", "At which step."),
            string("reason", "Why."),
            PERMANENT,
        ),
    ),
    Table(
        "transcriptomes",
        "Transcriptome indices that reads can be quantified with.",
        Scope.HISTORY,
        (
            ORGANISM,
            string("version", "Hash of the indices' and the gene map's content."),
            string("division", "Ensembl division.", required=False),
            string("release", "Ensembl release.", required=False),
            string("assembly", "Genome assembly.", required=False),
            string("source", "Who provides genome and genes.", required=False),
            int64("transcripts", "Transcripts in the indices."),
            int64("genes", "Genes in the gene map."),
            int64("mapped_transcripts", "Transcripts that have a gene."),
            int64("pseudogene_lines", "Lines of the GTF that were left out for the word pseudogene."),
            string("salmon_version", "Version of Salmon that built the indices.", required=False),
            int64("short_kmer", "k of the index for short reads."),
            int64("long_kmer", "k of the index for long reads."),
        ),
    ),
    Table(
        "sources",
        "Files from outside that references were made from.",
        Scope.HISTORY,
        (
            ORGANISM,
            string("role", "What the file is for."),
            string("origin", "Path or URL that the file was read from."),
            SIZE,
            MD5,
            SHA256,
        ),
    ),
    Table(
        "platform_annotations",
        "Microarrays whose probes and genes are known.",
        Scope.HISTORY,
        (
            MICROARRAY,
            string("version", "Hash of the probes and genes."),
            string("manufacturer", "Who made it.", required=False),
            string("name", "Its name for people.", required=False),
            int64(
                "probes",
                "Rows of the model: a probe in two probe sets has two. All probes of a BeadArray.",
                required=True,
            ),
            int64("cells", "Different cells among them; BeadArrays have none."),
            int64("probe_sets", "Different probe sets among them; BeadArrays have none."),
            int64("genes", "Genes that have a probe among them; missing without a table of genes."),
            int64(
                "left_out",
                "Probes without a place in the model; those listed are in `dropped`.",
                required=True,
            ),
            string("source", "Who provides the probes.", required=False),
            string("brainarray_version", "Release of Brainarray's genes.", required=False),
            string("kind", "How it is made: `Affymetrix` or `BeadArray`.", required=False),
            string("organism", "Organism of a BeadArray, as in `HOMO_SAPIENS`.", required=False),
            string("gene_source", "Where a BeadArray's Ensembl ids come from.", required=False),
        ),
    ),
    Table(
        "annotation_counts",
        "Probes of annotated BeadArrays: by quality, and by how their gene was chosen.",
        Scope.HISTORY,
        (
            MICROARRAY,
            string("about", "What is counted: `quality` or `gene`."),
            string("value", "The package's word for the quality; why a probe has its gene, or none."),
            int64("probes", "How many probes.", required=True),
        ),
    ),
    Table(
        "gene_indexes",
        "Microarrays whose submitter-processed values can be converted to genes.",
        Scope.HISTORY,
        (
            MICROARRAY,
            string("version", "Hash of the index."),
            string("name", "The microarray's name for people.", required=False),
            int64("rows", "Rows of the index: one for each combination of ids.", required=True),
            int64("genes", "Different Ensembl genes.", required=True),
            int64("without_gene", "Rows whose ids have no gene.", required=True),
            strings("columns", "The kinds of ids, as the index names them."),
            strings("columns_left_out", "Columns of the table that are not in the index.", required=False),
            string("source", "Who provides the table.", required=False),
        ),
    ),
    Table(
        "gene_index_columns",
        "What each column of a gene index holds.",
        Scope.HISTORY,
        (
            MICROARRAY,
            string("id_kind", "Kind of ids, as `PROBEID` or `SYMBOL`: a column of the index."),
            int64("ids", "Different ids.", required=True),
            int64("with_gene", "Different ids that have a gene.", required=True),
            strings("examples", "The first ones.", required=False),
        ),
    ),
    Table(
        "annotation_sources",
        "Files from outside that annotations and gene indexes of microarrays were made from.",
        Scope.HISTORY,
        (
            MICROARRAY,
            string("role", "What the file is for, as `probe_tab`."),
            string("origin", "Path or URL that the file was read from."),
            SIZE,
            MD5,
            SHA256,
        ),
    ),
    *TARGET_TABLES,
    *DATASET_TABLES,
    *DISCOVERY_TABLES,
    *COMPENDIUM_TABLES,
    *REMOVAL_TABLES,
)
TABLES: Mapping[str, Table] = {table.name: table for table in _DECLARED}

# The catalog's own tables: no commit carries them.
COMMITS = Table(
    "commits",
    "All sound commits that the catalog knows.",
    Scope.HISTORY,
    (
        string("id", "Id of the commit; sorts by time."),
        string("asset", "Asset."),
        string("partition", "Partition of the asset."),
        string("version", "Hash of content."),
        string("code_version", "Version of the code's meaning, set by hand."),
        timestamp("created_at", "When it was committed.", required=True),
        string("run_id", "Run that made it."),
        string("software", "Name and version of the program that wrote it.", required=False),
        IS_CURRENT,
    ),
    of_catalog=True,
)
PROBLEMS = Table(
    "problems",
    "Commits that could not be read; they are left out until they can be.",
    Scope.CURRENT,
    (*COMMIT_COLUMNS, string("problem", "What is wrong with the commit.")),
    of_catalog=True,
)
