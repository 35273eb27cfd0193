"""The lake's tables about experiments and samples: what sources say, and what was made of it."""

from __future__ import annotations

from refinebio_assets.lake.columns import (
    EXPERIMENT,
    ORGANISM,
    PLATFORM,
    SAMPLE,
    TECHNOLOGY,
    boolean,
    float64,
    int64,
    string,
    strings,
    timestamp,
)
from refinebio_assets.lake.table import Scope, Table

_HARMONIZED_FIELDS = (
    ("title", "Title of the sample, as submitted"),
    ("sex", "Sex; `female`, `male` or what the submitter says"),
    ("specimen_part", "Organ, tissue or cell type"),
    ("genetic_information", "Strain, genotype, ecotype, cultivar"),
    ("disease", "Disease or disease state"),
    ("disease_stage", "Stage or grade of the disease"),
    ("cell_line", "Cell line"),
    ("treatment", "Treatment"),
    ("race", "Race or ethnicity"),
    ("subject", "Donor, patient or individual"),
    ("developmental_stage", "Stage of development"),
    ("compound", "Compound or drug"),
    ("time", "Time point"),
)

EXPERIMENT_TABLES = (
    Table(
        "record_changes",
        "How what an archive or sample sheet says of an experiment differed from what it had said before.",
        Scope.HISTORY,
        (
            EXPERIMENT,
            string("change", "One difference, as a sentence."),
            timestamp("noticed_at", "When it was noticed.", required=True),
        ),
    ),
    Table(
        "source_states",
        "Experiments that their archive no longer had when it was asked again, or has again.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            string("state", "`gone` (withdrawn, private, or under another accession) or `there`."),
            string("reason", "What the archive answered.", required=False),
            timestamp("noticed_at", "When it was noticed.", required=True),
        ),
    ),
    Table(
        "registered_samples",
        "Samples as they were registered, with what defines each.",
        Scope.CURRENT,
        (EXPERIMENT, SAMPLE, string("definition", "Hash of what the sample was registered with.")),
    ),
    Table(
        "experiments",
        "Experiments as their source describes them.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            string("source", "Where the record is from: an archive or a sample sheet."),
            string("title", "Title as submitted.", required=False),
            string("description", "Description as submitted.", required=False),
            strings("organisms", "Organisms of its samples, sorted."),
            strings("technologies", "Technologies of its samples, sorted."),
            int64("sample_count", "Number of samples.", required=True),
            string("url", "Page of the experiment in its archive.", required=False),
            strings("alternates", "Its accessions in other archives.", required=False),
            string("published", "Date of publication, as in `2017-01-15`.", required=False),
            string("updated", "Date of the last change in the archive.", required=False),
            string("institution", "Who submitted it.", required=False),
            string("pubmed_id", "PubMed id of the paper.", required=False),
            string("doi", "DOI of the paper.", required=False),
            string("publication_title", "Title of the paper.", required=False),
            strings("authors", "Authors of the paper, in its order.", required=False),
        ),
    ),
    Table(
        "experiment_metadata",
        "What archives say about experiments, untouched: one row a key and value.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            int64("position", "Place in the archive's order, from 0.", required=True),
            string("key", "Key as in the archive."),
            string("value", "Value as in the archive.", required=False),
        ),
    ),
    Table(
        "protocols",
        "How samples were made, in the submitter's words.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            string("sample", "Accession of the sample; empty for the whole experiment.", required=False),
            string("accession", "Accession of the protocol.", required=False),
            string("kind", "What it is a protocol of, for example extraction.", required=False),
            string("text", "The protocol.", required=False),
            string("reference", "Where it is published.", required=False),
        ),
    ),
    Table(
        "samples",
        "Samples of each experiment.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            SAMPLE,
            ORGANISM,
            TECHNOLOGY,
            PLATFORM,
            string("title", "Title as submitted.", required=False),
            string("platform_accession", "What refine.bio calls the platform, as `hgu133a`.", required=False),
            string("source_platform", "What the source calls the platform, as `GPL96`.", required=False),
            string("manufacturer", "Who made the platform.", required=False),
            boolean("has_raw", "Whether the source offers raw data."),
            int64("taxonomy_id", "NCBI's number of the organism."),
            string("pipeline", "Which pipeline serves the sample, or `none`.", required=False),
            string("pipeline_reason", "Why that pipeline, or why none.", required=False),
        ),
    ),
    Table(
        "sample_metadata",
        "What submitters said about samples, untouched: one row a key and value.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            SAMPLE,
            string("key", "Key as submitted."),
            string("value", "Value as submitted.", required=False),
            int64("position", "Place in the source's order, from 0."),
        ),
    ),
    Table(
        "harmonized_metadata",
        "The harmonized fields of every sample; an empty text where nothing is known.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            SAMPLE,
            *(string(name, f"{text}.", required=False) for name, text in _HARMONIZED_FIELDS),
            float64("age", "Age as a number, in the submitter's unit."),
            string("age_unit", "Unit of the age, as `year`; empty when it is not said.", required=False),
            float64("age_years", "Age in years, where the unit is known."),
        ),
    ),
    Table(
        "harmonized_sources",
        "Where each harmonized value is from: one row a value that was used.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            SAMPLE,
            string("field", "Harmonized field."),
            string("value", "Harmonized value.", required=False),
            string(
                "key", "Key that it is from, as submitted, or the source of the correction.", required=False
            ),
            string(
                "text", "Text that it is from, as submitted, or the note of the correction.", required=False
            ),
            string("origin", "`submitter` or `correction`.", required=False),
        ),
    ),
    Table(
        "sample_attributes",
        "Metadata about samples from others than their submitters, attributed.",
        Scope.CURRENT,
        (
            SAMPLE,
            string("name", "What the attribute says something about."),
            string("ontology_term", "Term of an ontology, as `UBERON:0002107`.", required=False),
            string("value", "Its value.", required=False),
            string("unit", "Unit of the value.", required=False),
            float64("probability", "How certain it is, 0 to 1."),
            string("source", "Who says so."),
            string("methods_url", "How it was found out.", required=False),
        ),
    ),
    Table(
        "metadata_corrections",
        "Corrections that overlay what submitters said.",
        Scope.CURRENT,
        (
            SAMPLE,
            string("field", "Harmonized field."),
            string("value", "Value to use; empty clears the field.", required=False),
            string("source", "Who says so.", required=False),
            string("note", "Why.", required=False),
        ),
    ),
)
