"""Which pipeline a sample gets, and why, or why none: one ordered table of rules.

The first rule that holds decides. The rules look only at what a sample's source says of it; whether a
file can be downloaded and read shows later. ``decision_rules_markdown`` prints the same table that
``choose_pipeline`` follows. What the rules ask of a sample is in ``sample_facts``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from refinebio_assets.domain import Pipeline, Sample, SourceFile
from refinebio_assets.platforms.sample_facts import SampleFacts

Files = tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class PipelineChoice:
    """The pipeline of one sample, exactly the files that it reads, and the reason in words."""

    pipeline: Pipeline
    files: tuple[SourceFile, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """One line of the table: when it holds, what it chooses, and why.

    ``condition`` says in words what ``holds`` tests. ``reason`` may name ``{platform}``, ``{excluded}``,
    ``{library}`` (a strategy that is not one of RNA), ``{runs}`` and ``{instead}`` (its reads at SRA, and
    what to process for them), ``{roles}`` (what kinds of files there are), ``{named}`` (which files the
    record names) and ``{candidates}`` (the platforms that the source leaves possible).
    """

    name: str
    condition: str
    holds: Callable[[SampleFacts], bool]
    pipeline: Pipeline
    reason: str
    files: Callable[[SampleFacts], Files] = lambda _: ()


DECISION_RULES: tuple[DecisionRule, ...] = (
    DecisionRule(
        "excluded",
        "the source's rules or a blacklist exclude the sample",
        lambda facts: bool(facts.sample.excluded.strip()),
        Pipeline.NONE,
        "{excluded}",
    ),
    DecisionRule(
        "quantified before",
        "it comes with a quant.sf",
        lambda facts: bool(facts.quantification),
        Pipeline.TXIMPORT,
        "It comes with Salmon's quant.sf, so its reads need not be quantified again.",
        lambda facts: facts.quantification,
    ),
    DecisionRule(
        "CEL, listed platform",
        "it has a CEL file and its platform is a supported microarray",
        lambda facts: bool(facts.cel) and facts.array is not None,
        Pipeline.AFFYMETRIX_SCAN,
        "It has a raw CEL file of {platform}.",
        lambda facts: facts.cel,
    ),
    DecisionRule(
        "CEL, other platform",
        "it has a CEL file, and the source calls its data raw or gives a supported sequencer for it",
        lambda facts: bool(facts.cel) and (facts.sample.has_raw or facts.platform_is_supported),
        Pipeline.AFFYMETRIX_SCAN,
        "It has a raw CEL file, whose header decides the platform: its source gives {platform}, which is not "
        "one supported microarray.",
        lambda facts: facts.cel,
    ),
    DecisionRule(
        "reads, unlisted sequencer",
        "it has reads, of a sequencer that is not on the list of supported ones",
        lambda facts: bool(facts.reads) and facts.sequencer_is_unlisted,
        Pipeline.NONE,
        "Its reads were sequenced on {platform}, which is not one of the supported sequencers.",
    ),
    DecisionRule(
        "reads",
        "it has FASTQ files or an SRA run",
        lambda facts: bool(facts.reads),
        Pipeline.SALMON,
        "It has RNA-seq reads.",
        lambda facts: facts.reads,
    ),
    DecisionRule(
        "not RNA",
        "it is no microarray, has no reads here, and its library strategy is not one of RNA",
        lambda facts: facts.may_be_sequenced and bool(facts.other_library),
        Pipeline.NONE,
        "It was sequenced, but not its RNA: its library is {library}.",
    ),
    DecisionRule(
        "reads at SRA",
        "it is no microarray, has no reads here, and its record or its experiment points to SRA",
        lambda facts: facts.may_be_sequenced and bool(facts.where_its_reads_are),
        Pipeline.NONE,
        "Its reads are at SRA{runs}, not here: process {instead} instead.",
    ),
    DecisionRule(
        "RNA-seq without reads",
        "it was sequenced and has no reads",
        lambda facts: facts.is_sequenced,
        Pipeline.NONE,
        "It is an RNA-seq sample, and its record neither offers reads ({roles}) nor says where at SRA they "
        "are.",
    ),
    DecisionRule(
        "two-color array",
        "two samples were labeled and put on one array",
        lambda facts: facts.is_two_color,
        Pipeline.NONE,
        "It is from a two-color array ({platform}): its values compare two samples, and cannot be "
        "combined with those of one.",
    ),
    DecisionRule(
        "no files",
        "the source names no file for it that a pipeline might read",
        lambda facts: not facts.sample.files,
        Pipeline.NONE,
        "The source offers no files for it{named}.",
    ),
    DecisionRule(
        "Agilent",
        "the array is Agilent's",
        lambda facts: facts.is_agilent,
        Pipeline.NONE,
        "It was measured on an Agilent array ({platform}); Agilent arrays are not supported.",
    ),
    DecisionRule(
        "one's own intensities",
        "raw, with a table of non-normalized intensities that a person lists, of no listed array",
        lambda facts: facts.array_is_ones_own and facts.is_made_by_illumina and bool(facts.intensities),
        Pipeline.ILLUMINA_SCAN,
        "It has non-normalized intensities, whose probes decide the platform.",
        lambda facts: facts.intensities,
    ),
    DecisionRule(
        "one's own values",
        "with a table of values that a person lists, of an array that is named and not listed",
        lambda facts: facts.array_is_ones_own and not facts.platform_is_unknown and bool(facts.values),
        Pipeline.SUBMITTER_PROCESSED,
        "It comes with values of {platform} and without raw data, so these values are converted to Ensembl "
        "genes.",
        lambda facts: facts.values,
    ),
    DecisionRule(
        "unknown platform",
        "the source does not say on which one array it was measured",
        lambda facts: facts.platform_is_unknown,
        Pipeline.NONE,
        "The source does not say on which array it was measured{candidates}, and it has no CEL file that "
        "could tell.",
    ),
    DecisionRule(
        "unsupported platform",
        "its platform is not on the lists of supported ones",
        lambda facts: facts.array is None,
        Pipeline.NONE,
        "Its platform, {platform}, is not one of the supported microarrays and sequencers.",
    ),
    DecisionRule(
        "Illumina intensities",
        "Illumina array, raw, with a table of non-normalized intensities",
        lambda facts: facts.is_illumina and facts.sample.has_raw and bool(facts.intensities),
        Pipeline.ILLUMINA_SCAN,
        "It has non-normalized intensities of {platform}.",
        lambda facts: facts.intensities,
    ),
    DecisionRule(
        "submitter's values",
        "supported array, with a table of values",
        lambda facts: bool(facts.values),
        Pipeline.SUBMITTER_PROCESSED,
        "The source offers no raw data of {platform} that can be processed, so the submitter's own values "
        "are converted to Ensembl genes.",
        lambda facts: facts.values,
    ),
    DecisionRule(
        "raw archive, Affymetrix",
        "Affymetrix array, raw, with nothing but an archive",
        lambda facts: facts.is_affymetrix and bool(facts.raw_archive),
        Pipeline.AFFYMETRIX_SCAN,
        "It has an archive of raw data of {platform}.",
        lambda facts: facts.raw_archive,
    ),
    DecisionRule(
        "raw archive, Illumina",
        "Illumina array, raw, with nothing but an archive",
        lambda facts: facts.is_illumina and bool(facts.raw_archive),
        Pipeline.ILLUMINA_SCAN,
        "It has an archive of raw data of {platform}.",
        lambda facts: facts.raw_archive,
    ),
    DecisionRule(
        "processed archive",
        "supported array, with nothing but an archive of processed values",
        lambda facts: bool(facts.archive),
        Pipeline.SUBMITTER_PROCESSED,
        "The source offers no raw data of {platform}, so the submitter's own values are taken from its "
        "archive and converted to Ensembl genes.",
        lambda facts: facts.archive,
    ),
    DecisionRule(
        "no readable file",
        "otherwise",
        lambda _: True,
        Pipeline.NONE,
        "None of its files is of a kind that a pipeline reads ({roles}).",
    ),
)


def choose_pipeline(sample: Sample) -> PipelineChoice:
    """Return the sample's pipeline, the files that it reads, and why; never fails.

    A sample that gets none has no files in the answer, and the reason tells a biologist why it cannot be
    used.
    """
    facts = SampleFacts(sample)
    rule = next(rule for rule in DECISION_RULES if rule.holds(facts))
    return PipelineChoice(rule.pipeline, rule.files(facts), rule.reason.format(**facts.words()))


def decision_rules_markdown() -> str:
    """Return the rules as a Markdown table, in the order in which they are tried."""
    head = ["| # | Rule | When | Pipeline | Why |", "|---|---|---|---|---|"]
    rows = [
        f"| {number} | {rule.name} | {rule.condition} | {rule.pipeline} | {rule.reason} |"
        for number, rule in enumerate(DECISION_RULES, start=1)
    ]
    return "\n".join(head + rows) + "\n"
