"""Each sample gets the pipeline that the table of rules gives it, with a reason a biologist understands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.domain import (
    FileRole,
    Manufacturer,
    Metadata,
    Pipeline,
    Platform,
    Sample,
    SourceFile,
    Technology,
)
from refinebio_assets.platforms.array_design import platform_of_array_designs
from refinebio_assets.platforms.geo_platform import platform_of_gpl
from refinebio_assets.platforms.microarrays import find_microarray, supported_microarrays
from refinebio_assets.platforms.pipeline_choice import (
    DECISION_RULES,
    choose_pipeline,
    decision_rules_markdown,
)
from refinebio_assets.platforms.sequencers import sequencer_of_run

AFFYMETRIX = find_microarray("GPL96") or Platform()
ILLUMINA = find_microarray("GPL10558") or Platform()
HISEQ = sequencer_of_run("ILLUMINA", "Illumina HiSeq 2000")
UNLISTED = Platform("GPL99999", "Some custom CDF", source_accession="GPL99999")


def sample(
    *roles: FileRole,
    platform: Platform = AFFYMETRIX,
    technology: Technology = Technology.MICROARRAY,
    has_raw: bool = True,
    metadata: Metadata = (),
    excluded: str = "",
) -> Sample:
    files = tuple(SourceFile(role, f"https://host/{number}/{role}") for number, role in enumerate(roles))
    return Sample(
        "GSM1", "HOMO_SAPIENS", technology, platform, files, metadata, has_raw=has_raw, excluded=excluded
    )


def chosen(of: Sample) -> tuple[Pipeline, list[FileRole]]:
    choice = choose_pipeline(of)
    return choice.pipeline, [file.role for file in choice.files]


def test_a_cel_file_goes_to_affymetrix_scan_before_all_other_files() -> None:
    of = sample(FileRole.PROCESSED, FileRole.ARCHIVE, FileRole.CEL, FileRole.CEL)

    choice = choose_pipeline(of)
    assert (choice.pipeline, choice.files) == (Pipeline.AFFYMETRIX_SCAN, (of.files[2],))
    assert choice.reason == "It has a raw CEL file of Affymetrix Human Genome U133A Array (hgu133a)."


def test_a_cel_file_of_an_unlisted_platform_is_decided_from_its_header() -> None:
    choice = choose_pipeline(sample(FileRole.CEL, platform=UNLISTED))

    assert choice.pipeline == Pipeline.AFFYMETRIX_SCAN
    assert "Some custom CDF (GPL99999)" in choice.reason
    assert "header" in choice.reason


def test_a_cel_file_of_several_array_designs_is_decided_from_its_header() -> None:
    platform, _ = platform_of_array_designs(["A-AFFY-1", "A-AFFY-33"])
    choice = choose_pipeline(sample(FileRole.CEL, platform=platform))

    assert choice.pipeline == Pipeline.AFFYMETRIX_SCAN
    assert "A-AFFY-1, A-AFFY-33" in choice.reason


def test_a_cel_file_of_a_sample_called_sequenced_is_decided_from_its_header() -> None:
    choice = choose_pipeline(sample(FileRole.CEL, platform=HISEQ, technology=Technology.RNA_SEQ))

    assert choice.pipeline == Pipeline.AFFYMETRIX_SCAN
    assert "header" in choice.reason


def test_a_platform_that_a_sample_sheet_names_is_recognized() -> None:
    choice = choose_pipeline(sample(FileRole.CEL, platform=Platform(name="GPL96")))

    assert choice.reason == "It has a raw CEL file of GPL96."


def test_illumina_intensities_go_to_illumina_scan() -> None:
    of = sample(FileRole.PROCESSED, FileRole.BEADARRAY, platform=ILLUMINA)

    assert chosen(of) == (Pipeline.ILLUMINA_SCAN, [FileRole.BEADARRAY])


@pytest.mark.parametrize(
    ("roles", "has_raw", "read"),
    [
        ([FileRole.PROCESSED], True, FileRole.PROCESSED),
        ([FileRole.ARCHIVE, FileRole.PROCESSED], False, FileRole.PROCESSED),
        ([FileRole.BEADARRAY], False, FileRole.BEADARRAY),
        ([FileRole.ARCHIVE], False, FileRole.ARCHIVE),
    ],
)
@pytest.mark.parametrize("platform", [AFFYMETRIX, ILLUMINA])
def test_without_raw_data_the_submitters_values_are_used(
    platform: Platform, roles: list[FileRole], has_raw: bool, read: FileRole
) -> None:
    of = sample(*roles, platform=platform, has_raw=has_raw)

    assert chosen(of) == (Pipeline.SUBMITTER_PROCESSED, [read])


def test_affymetrix_text_is_the_submitters_values_even_when_called_raw() -> None:
    assert chosen(sample(FileRole.BEADARRAY)) == (Pipeline.SUBMITTER_PROCESSED, [FileRole.BEADARRAY])


@pytest.mark.parametrize(
    ("platform", "pipeline"),
    [(AFFYMETRIX, Pipeline.AFFYMETRIX_SCAN), (ILLUMINA, Pipeline.ILLUMINA_SCAN)],
)
def test_a_raw_archive_serves_when_nothing_else_does(platform: Platform, pipeline: Pipeline) -> None:
    assert chosen(sample(FileRole.ARCHIVE, platform=platform)) == (pipeline, [FileRole.ARCHIVE])


@pytest.mark.parametrize("name", ["E-GEOD-44719.processed.1.zip", "GSE44719_family.xml.tgz"])
def test_an_archive_of_processed_values_is_never_raw(name: str) -> None:
    file = SourceFile(FileRole.ARCHIVE, f"https://host/{name}")
    of = Sample("E-GEOD-44719-GSM1", "HOMO_SAPIENS", Technology.MICROARRAY, ILLUMINA, (file,))

    assert chosen(of) == (Pipeline.SUBMITTER_PROCESSED, [FileRole.ARCHIVE])


def test_mates_are_read_together_and_fastq_before_sra() -> None:
    of = sample(
        FileRole.SRA, FileRole.FASTQ_2, FileRole.FASTQ_1, platform=HISEQ, technology=Technology.RNA_SEQ
    )

    assert chosen(of) == (Pipeline.SALMON, [FileRole.FASTQ_1, FileRole.FASTQ_2])
    assert chosen(sample(FileRole.SRA, platform=HISEQ, technology=Technology.RNA_SEQ)) == (
        Pipeline.SALMON,
        [FileRole.SRA],
    )


def test_reads_of_a_sample_sheet_need_no_sequencer() -> None:
    for platform in (Platform(), Platform(name="our own sequencer")):
        of = sample(FileRole.FASTQ_1, platform=platform, technology=Technology.RNA_SEQ)
        assert chosen(of) == (Pipeline.SALMON, [FileRole.FASTQ_1])


@pytest.mark.parametrize(
    ("maker", "model"), [("PACBIO_SMRT", "Sequel II"), ("ILLUMINA", "Illumina iSeq 100"), ("DNBSEQ", "")]
)
def test_an_unlisted_sequencer_is_named(maker: str, model: str) -> None:
    of = sample(FileRole.SRA, platform=sequencer_of_run(maker, model), technology=Technology.RNA_SEQ)

    choice = choose_pipeline(of)
    assert (choice.pipeline, choice.files) == (Pipeline.NONE, ())
    assert (model or maker) in choice.reason


def test_a_quant_sf_goes_to_tximport_with_its_gene_map() -> None:
    of = sample(FileRole.FASTQ_1, FileRole.GENE_MAP, FileRole.QUANT_SF, technology=Technology.RNA_SEQ)

    assert chosen(of) == (Pipeline.TXIMPORT, [FileRole.QUANT_SF, FileRole.GENE_MAP])


@pytest.mark.parametrize("roles", [[FileRole.CEL], [FileRole.FASTQ_1], []])
def test_what_excludes_a_sample_is_the_reason_before_all_else(roles: list[FileRole]) -> None:
    choice = choose_pipeline(sample(*roles, excluded="Its {library} source is GENOMIC."))

    assert (choice.pipeline, choice.files) == (Pipeline.NONE, ())
    assert choice.reason == "Its {library} source is GENOMIC."


@pytest.mark.parametrize("roles", [[], [FileRole.PROCESSED]])
@pytest.mark.parametrize(
    ("gpl", "title"), [("GPL11154", "Illumina HiSeq 2000 (Homo sapiens)"), ("GPL9186", "454 GS FLX")]
)
def test_reads_of_a_geo_sample_are_said_to_be_at_sra(gpl: str, title: str, roles: list[FileRole]) -> None:
    platform, technology = platform_of_gpl(gpl, title)
    relation = ("relation", "SRA: https://www.ncbi.nlm.nih.gov/sra?term=SRX1234567")
    of = sample(*roles, platform=platform, technology=technology, metadata=(relation,), has_raw=False)

    choice = choose_pipeline(of)
    assert choice.pipeline == Pipeline.NONE
    assert "at SRA (SRX1234567)" in choice.reason


def test_an_rna_seq_table_of_counts_is_not_used() -> None:
    choice = choose_pipeline(sample(FileRole.PROCESSED, platform=HISEQ, technology=Technology.RNA_SEQ))

    assert choice.pipeline == Pipeline.NONE
    assert "neither offers reads (only: processed)" in choice.reason


@pytest.mark.parametrize(
    ("accession", "metadata", "reason"),
    [
        (
            "GSM1",
            (("type", "SRA"), ("series_relation", "SRA: x?term=SRP051521"), ("relation", "SRA: SRX823723")),
            "Its reads are at SRA (SRX823723), not here: process SRP051521 instead.",
        ),
        (
            "E-MTAB-1-a",
            (("Comment [ENA_RUN]", "ERR100001"), ("Comment[SecondaryAccession]", "ERP000123")),
            "Its reads are at SRA (ERR100001), not here: process ERP000123 instead.",
        ),
        (
            "E-MTAB-1-a",
            (("BioStudies link", "PRJEB123"),),
            "Its reads are at SRA, not here: process PRJEB123 instead.",
        ),
        (
            "E-GEOD-123-GSM1",
            (("Comment[ENA_RUN]", "SRR1000001"),),
            "Its reads are at SRA (SRR1000001), not here: process GSE123 instead.",
        ),
        (
            "GSM1",
            (("library_strategy", "ChIP-Seq"), ("relation", "SRA: SRX823723")),
            "It was sequenced, but not its RNA: its library is ChIP-Seq.",
        ),
        (
            "GSM1",
            (("library_strategy", "ncRNA-Seq"),),
            "It is an RNA-seq sample, and its record neither offers reads (no files) nor says where at SRA"
            " they are.",
        ),
    ],
)
def test_where_the_reads_are_is_found_in_what_the_source_says(
    accession: str, metadata: Metadata, reason: str
) -> None:
    of = Sample(accession, "HOMO_SAPIENS", Technology.RNA_SEQ, HISEQ, metadata=metadata)

    choice = choose_pipeline(of)
    assert (choice.pipeline, choice.reason) == (Pipeline.NONE, reason)


def test_a_microarray_is_not_looked_for_at_sra_because_of_its_series() -> None:
    relation = ("relation", "SRA: https://www.ncbi.nlm.nih.gov/sra?term=SRX1234567")

    assert choose_pipeline(sample(FileRole.CEL, metadata=(relation,))).pipeline == Pipeline.AFFYMETRIX_SCAN
    assert choose_pipeline(sample(metadata=(relation,))).reason == "The source offers no files for it."


def test_a_two_color_array_without_files_is_called_what_it_is() -> None:
    assert "two-color" in choose_pipeline(sample(metadata=(("channel_count", "3"),))).reason
    assert "two-color" in choose_pipeline(sample(metadata=(("Label", "a"), ("Label ", "b")))).reason


def test_files_that_nothing_reads_are_named() -> None:
    named = (("supplementary_file", "NONE"), ("supplementary_file_1", "ftp://host/a/GSM1.gpr.gz"))

    assert choose_pipeline(sample(metadata=named)).reason == (
        "The source offers no files for it that a pipeline reads; it names GSM1.gpr.gz."
    )


def test_second_mates_alone_are_no_reads() -> None:
    choice = choose_pipeline(sample(FileRole.FASTQ_2, platform=HISEQ, technology=Technology.RNA_SEQ))

    assert choice.pipeline == Pipeline.NONE
    assert "only: fastq_2" in choice.reason


def test_a_sample_without_files_is_told_apart_from_one_with_useless_files() -> None:
    assert choose_pipeline(sample()).reason == "The source offers no files for it."
    assert choose_pipeline(sample(FileRole.GENE_MAP)).reason == (
        "None of its files is of a kind that a pipeline reads (only: gene_map)."
    )


@pytest.mark.parametrize(
    ("platform", "metadata", "words"),
    [
        (UNLISTED, (), "Its platform, Some custom CDF (GPL99999), is not one of"),
        (Platform(), (), "does not say on which array it was measured,"),
        (
            Platform(source_accession="A-AGIL-9, A-MEXP-9"),
            (),
            "does not say on which array it was measured (it names A-AGIL-9, A-MEXP-9)",
        ),
        (Platform("GPL6480", "Agilent-014850"), (), "Agilent arrays are not supported"),
        (Platform("A-AGIL-28"), (), "Agilent arrays are not supported"),
        (Platform("GPL7", manufacturer=Manufacturer.AGILENT), (), "Agilent arrays are not supported"),
        (UNLISTED, (("channel_count", "2"),), "two-color array"),
        (UNLISTED, (("Label", "Cy3"), ("Label", "Cy5")), "two-color array"),
        (UNLISTED, (("label_ch1", "cy3"), ("channel_count", "1")), "is not one of"),
        (Platform("Illumina HiSeq 2500", "Illumina HiSeq 2500"), (), "is not one of"),
    ],
)
@pytest.mark.parametrize("role", [FileRole.PROCESSED, FileRole.BEADARRAY, FileRole.ARCHIVE])
def test_an_array_that_cannot_be_processed_is_refused_with_the_reason(
    role: FileRole, platform: Platform, metadata: Metadata, words: str
) -> None:
    choice = choose_pipeline(sample(role, platform=platform, metadata=metadata))

    assert (choice.pipeline, choice.files) == (Pipeline.NONE, ())
    assert words in choice.reason


def test_a_cel_file_that_the_source_does_not_call_raw_needs_a_supported_platform() -> None:
    assert choose_pipeline(sample(FileRole.CEL, has_raw=False)).pipeline == Pipeline.AFFYMETRIX_SCAN
    assert choose_pipeline(sample(FileRole.CEL, has_raw=False, platform=UNLISTED)).pipeline == Pipeline.NONE


def test_the_printed_table_has_every_rule_in_the_order_in_which_it_is_tried() -> None:
    lines = decision_rules_markdown().splitlines()

    assert len(lines) == len(DECISION_RULES) + 2
    assert {line.count("|") for line in lines} == {6}
    assert [line.split(" | ")[1] for line in lines[2:]] == [rule.name for rule in DECISION_RULES]
    assert len({rule.name for rule in DECISION_RULES}) == len(DECISION_RULES)


PLATFORMS = st.one_of(
    st.sampled_from([find_microarray(array.accession) or Platform() for array in supported_microarrays()]),
    st.sampled_from([HISEQ, UNLISTED, Platform()]),
    st.builds(Platform, st.text(), st.text(), st.sampled_from(Manufacturer), st.text()),
)
FILES = st.lists(st.builds(SourceFile, st.sampled_from(FileRole), st.text()), max_size=6).map(tuple)
SAMPLES = st.builds(
    Sample,
    accession=st.just("GSM1"),
    organism=st.just("HOMO_SAPIENS"),
    technology=st.sampled_from(Technology),
    platform=PLATFORMS,
    files=FILES,
    metadata=st.lists(st.tuples(st.sampled_from(["relation", "label", "x"]), st.text()), max_size=3).map(
        tuple
    ),
    has_raw=st.booleans(),
    excluded=st.sampled_from(["", "", "", "It is {braced}."]),
)


@given(SAMPLES)
def test_every_sample_gets_one_answer_and_always_the_same(of: Sample) -> None:
    choice = choose_pipeline(of)

    assert choice == choose_pipeline(of)
    assert choice.reason
    assert set(choice.files) <= set(of.files)
    assert bool(choice.files) == (choice.pipeline != Pipeline.NONE)
    assert len({file.role for file in choice.files}) == len(choice.files)
