"""Times our harmonization of sample metadata beside the way refine.bio does it.

The peer is written here from the description of refine.bio's rules, none of its code is: a field's keys are
a set and one regular expression a spelling, and they are tried on each key of each sample. Both run in one
process on one core, in turn, round by round, so that a machine whose speed drifts slows both. Then their
results are compared.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator

from refinebio_assets.metadata.ages import parse_age
from refinebio_assets.metadata.harmonize import harmonize
from refinebio_assets.metadata.source_keys import FIELDS, SOURCE_KEYS

Sample = dict[str, object]
Fields = dict[str, str | float | None]

SAMPLES = 100_000
PEER_SAMPLES = 1_000
"""The peer needs minutes for all samples; it gets so many of them, and its time is scaled up."""
CHUNK = 5_000
TARGET_SECONDS = 20.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds, at least 3 (default 5)")
    parser.add_argument("--samples", type=int, default=SAMPLES, help=f"default {SAMPLES:,}")
    options, _ = parser.parse_known_args()
    rounds = max(3, options.rounds)
    peer_samples = list(simulate(min(PEER_SAMPLES, options.samples), seed=1))
    keys = statistics.mean(len(sample) for sample in peer_samples)
    print(f"{options.samples:,} simulated samples of {keys:.0f} keys on average, one core")
    print(f"medians of {rounds} rounds after a warm-up; the peer on {len(peer_samples):,} of them\n")
    ours, peer = take_rounds(options.samples, peer_samples, rounds)
    report(ours, peer)
    agree = compare(peer_samples)
    in_time = statistics.median(ours) * SAMPLES < TARGET_SECONDS
    if not in_time:
        print(f"TOO SLOW: {SAMPLES:,} samples take more than {TARGET_SECONDS:.0f} s")
    sys.exit(0 if agree and in_time else 1)


def take_rounds(samples: int, peer_samples: list[Sample], rounds: int) -> tuple[list[float], list[float]]:
    """Return seconds per sample of each round, ours and the peer's; the first round is not counted."""
    ours, peer = [], []
    for _ in range(rounds + 1):
        seconds, count = 0.0, 0
        # Made in chunks and forgotten: all of them would fill the memory of a small machine.
        while count < samples:
            chunk = list(simulate(min(CHUNK, samples - count), seed=1 + count))
            seconds += seconds_of(harmonize, chunk)
            count += len(chunk)
        ours.append(seconds / samples)
        peer.append(seconds_of(harmonize_by_patterns, peer_samples) / len(peer_samples))
    return ours[1:], peer[1:]


def seconds_of(function: Callable[[Sample], object], samples: list[Sample]) -> float:
    start = time.perf_counter()
    for sample in samples:
        function(sample)
    return time.perf_counter() - start


def report(ours: list[float], peer: list[float]) -> None:
    ratio = statistics.median(theirs / mine for mine, theirs in zip(ours, peer, strict=True))
    print(f"{'':40}{'100,000 samples':>16}{'fastest':>10}{'slowest':>10}{'/ ours':>9}")
    for title, seconds, over in (
        ("refinebio-assets", ours, 1.0),
        ("a regular expression a key spelling", peer, ratio),
    ):
        times = [one * SAMPLES for one in (statistics.median(seconds), min(seconds), max(seconds))]
        print(f"{title:40}{times[0]:15.1f}s{times[1]:9.1f}s{times[2]:9.1f}s{over:9.1f}")
    print()


def compare(samples: list[Sample]) -> bool:
    differing = [
        (mine, theirs)
        for mine, theirs in (
            (harmonize(sample).values(), harmonize_by_patterns(sample)) for sample in samples
        )
        if mine != theirs
    ]
    for mine, theirs in differing[:3]:
        print(f"DIFFERENT: {dict(mine.items() - theirs.items())} and {dict(theirs.items() - mine.items())}")
    print(f"{len(samples) - len(differing):,} of {len(samples):,} samples have the same 14 fields")
    return not differing


# The peer.

WRAPPERS = ("characteristic", "characteristics", "comment", "comments", "factorvalue", "factor value")
Rule = tuple[set[str], list[re.Pattern[str]]]


def rule_of(field: str) -> Rule:
    spellings = [
        source_key.replace(" ", blank) for source_key in SOURCE_KEYS[field] for blank in (" ", "_", "-", "")
    ]
    spellings = list(dict.fromkeys(spellings))
    patterns = [re.compile(rf"characteristics_{re.escape(one)}(_\d+_text)?$") for one in spellings]
    return {key for one in spellings for key in exact_keys(one)}, patterns


def exact_keys(spelling: str) -> list[str]:
    wrapped = [form.format(wrapper, spelling) for wrapper in WRAPPERS for form in ("{} [{}]", "{}[{}]")]
    return [spelling, *wrapped, f"sample_{spelling}", f"sample_host{spelling}", f"sample_sample_{spelling}"]


RULES = {field: rule_of(field) for field in FIELDS if field != "title"}
TITLE_KEYS = [
    key
    for source_key in SOURCE_KEYS["title"]
    for spelling in dict.fromkeys(source_key.replace(" ", blank) for blank in (" ", "_", "-", ""))
    for key in exact_keys(spelling)
]


def harmonize_by_patterns(sample: Sample) -> Fields:
    fields: Fields = {"title": next((str(sample[key]) for key in TITLE_KEYS if key in sample), "")}
    for field, rule in RULES.items():
        values = [str(value) for key, value in sample.items() if matches(key.lower().strip(), rule)]
        if field == "age":
            ages = (age for age in map(parse_age, values) if age is not None)
            fields[field] = next(ages, None)
        else:
            plain = (value.lower().strip() for value in values)
            sexes = {"f": "female", "woman": "female", "m": "male", "man": "male"} if field == "sex" else {}
            fields[field] = ";".join(sorted({sexes.get(value, value) for value in plain if value}))
    return {field: fields[field] for field in FIELDS}


def matches(key: str, rule: Rule) -> bool:
    exact, patterns = rule
    return key in exact or any(pattern.match(key) for pattern in patterns)


# Samples as the three archives deliver them, already flat. Keys, their number, and the share of samples in
# which they are filled are like those of real ones; values are made up.

VALUES = {
    "sex": ["F", "Male", "female", "m", "unknown", ""],
    "age": ["54", "12 weeks", "8wk", "P21", "0", "5-6 weeks", "17.1", "adult", "63 years"],
    "tissue": ["liver", "Kidney", "whole blood", "PBMC", "brain, cortex", "heart"],
    "cell type": ["B cell", "fibroblast", "hepatocyte", "not applicable"],
    "genotype": ["wild type", "WT", "Tp53-/-", "C57BL/6"],
    "disease state": ["normal", "AML", "type 2 diabetes", "control"],
    "treatment": ["none", "DMSO", "10 uM cisplatin, 24 h", "vehicle"],
    "time point": ["0 h", "24 h", "day 7"],
    "individual": ["donor A", "P017", "12"],
    "developmental stage": ["adult", "embryo", "gastrula"],
    "strain": ["C57BL/6J", "BALB/c", "Col-0"],
    "batch": ["1", "2", "3"],
    "rin": ["8.1", "7.9"],
    "survival (months)": ["12", "60"],
}
PROTOCOL = "Total RNA was isolated with TRIzol according to the manufacturer's instructions. " * 6
GEO_KEYS = """
    channel_count source_name_ch1 organism_ch1 taxid_ch1 molecule_ch1 label_ch1 extract_protocol_ch1
    label_protocol_ch1 growth_protocol_ch1 treatment_protocol_ch1 hyb_protocol scan_protocol
    data_processing description platform_id contact_institute status submission_date
    last_update_date type geo_accession supplementary_file series_id data_row_count
"""
ENA_KEYS = """
    study_accession secondary_study_accession sample_accession experiment_accession
    submission_accession tax_id instrument_platform instrument_model library_name library_layout
    library_strategy library_source library_selection read_count base_count center_name first_public
    last_updated experiment_title study_title fastq_bytes fastq_md5 fastq_ftp fastq_aspera
    submitted_ftp sra_ftp sra_md5 broker_name nominal_length altitude assembly_quality bio_material
    cell_line cell_type checklist collected_by collection_date country cultivar culture_collection
    depth dev_stage ecotype elevation environment_biome host host_sex identified_by
    investigation_type isolate isolation_source location mating_type ph project_name protocol_label
    salinity serotype serovar sex specimen_voucher strain sub_species sub_strain temperature
    tissue_lib tissue_type variety study_ena_center_name study_ena_description study_ena_study_title
    study_ena_tax_id
"""
SDRF_COLUMNS = """
    protocol ref; term source ref; term accession number; material type; array design ref; label;
    image file; array data file; comment [arrayexpress ftp file]; derived array data file;
    technology type; assay name; source name; hybridization name; scan name; unit [time unit];
    parameter value [temperature]
"""


def simulate(count: int, seed: int) -> Iterator[Sample]:
    """Yield samples: half of them like GEO's, a quarter each like ArrayExpress's and SRA's."""
    rng = random.Random(seed)
    for number in range(count):
        make = (geo_sample, sdrf_row, geo_sample, sra_run)[number % 4]
        yield make(f"S{seed + number}", rng)


def characteristics(rng: random.Random) -> dict[str, str]:
    return {key: rng.choice(VALUES[key]) for key in rng.sample(list(VALUES), rng.randint(2, 7))}


def geo_sample(name: str, rng: random.Random) -> Sample:
    said = {key: PROTOCOL if "protocol" in key else f"{key} {name}" for key in GEO_KEYS.split()}
    return {"title": f"Sample {name}", **said, **characteristics(rng)}


def sdrf_row(name: str, rng: random.Random) -> Sample:
    said = {f"characteristics[{key}]": f"{value} " for key, value in characteristics(rng).items()}
    factors = {f"factor value [{key}]": value for key, value in characteristics(rng).items()}
    columns = {key: f"{key} {name}" for key in " ".join(SDRF_COLUMNS.split()).split("; ")}
    return {
        **columns,
        **said,
        "extract name": f"{name} extract",
        "labeled extract name": f"{name} LE",
        **factors,
    }


def sra_run(name: str, rng: random.Random) -> Sample:
    said: Sample = dict.fromkeys(ENA_KEYS.split(), "") | {"sample_title": f"Run {name}", "run_alias": name}
    for key, value in characteristics(rng).items():
        attribute = f"characteristics_{key.replace(' ', '_')}"
        said |= {f"{attribute}_0_text": value, f"{attribute}_0_tag": "attribute"}
    return said


if __name__ == "__main__":
    main()
