"""A small lake, committed directly: arrays and reads, shared samples, a target, an index, a failure."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import InputRef, Lake

HUMAN, FISH = "HOMO_SAPIENS", "DANIO_RERIO"
ARRAY = {"technology": "MICROARRAY", "platform": "[HG-U133A] Affymetrix Human Genome U133A Array"}
ARRAY |= {"platform_accession": "hgu133a", "source_platform": "GPL96", "manufacturer": "AFFYMETRIX"}
READS = {
    "technology": "RNA-SEQ",
    "platform": "Illumina HiSeq 2000",
    "platform_accession": "IlluminaHiSeq2000",
}
READS |= {"manufacturer": "ILLUMINA"}
QUANT_SF = "Name\tLength\tEffectiveLength\tTPM\tNumReads\nT1\t500\t350.0\t1000000.0\t10.0\n"
INDEX_VERSION = "a" * 64


def make_world(folder: Path) -> Lake:
    """Return a lake with five experiments, and bring its catalog up to date."""
    lake = Lake(str(folder / "lake"))
    commit_index(lake)
    _commit_target(lake)
    array = {"organism": HUMAN, "taxonomy_id": 9606, **ARRAY}
    reads = {"organism": HUMAN, "taxonomy_id": 9606, **READS}
    fish = {"organism": FISH, "taxonomy_id": 7955, **READS}
    commit_experiment(
        lake,
        {"experiment": "GSE1", "source": "GEO", "title": "Medulloblastoma in children", **_PAPER},
        {"A1": array, "A2": array, "A3": array},
        failed={"A3": "the CEL file is cut"},
        said={"A1": {"tissue": "Cerebellum", "age": "42"}},
        harmonized={"A1": {"specimen_part": "cerebellum", "age": 42.0, "sex": "female"}},
    )
    commit_experiment(
        lake,
        {
            "experiment": "SRP2",
            "source": "SRA",
            "title": "Atlas of the liver",
            "description": "Expression in healthy liver",
            "published": "2019-05-01",
            "institution": "Institute of Livers",
        },
        {"R1": reads, "R2": reads},
        said={"R1": {"tissue": "liver"}, "R2": {"tissue": "liver"}},
        harmonized={"R1": {"specimen_part": "liver"}, "R2": {"specimen_part": "liver"}},
    )
    commit_experiment(
        lake,
        {"experiment": "GSE3", "source": "GEO", "title": "A superseries", "alternates": ["E-GEOD-3"]},
        {"A1": array, "R1": reads, "Z1": fish},
    )
    commit_experiment(
        lake,
        {"experiment": "SRP4", "source": "SRA", "title": "Waiting medulla"},
        {"W1": fish},
        processed=False,
    )
    Catalog(lake).sync()
    return lake


_PAPER = {
    "description": "Tumors of the cerebellum",
    "alternates": ["E-GEOD-1"],
    "published": "2011-02-03",
    "updated": "2012-03-04",
    "institution": "Children's Hospital",
    "pubmed_id": "123456",
    "doi": "10.1000/xyz",
    "publication_title": "A study of tumors",
    "authors": ["Curie M", "Meitner L"],
}


def commit_experiment(
    lake: Lake,
    about: Mapping[str, Any],
    samples: Mapping[str, Mapping[str, Any]],
    *,
    processed: bool = True,
    failed: Mapping[str, str] | None = None,
    said: Mapping[str, Mapping[str, str]] | None = None,
    harmonized: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Commit an experiment's record, files, quantifications and matrix, as the pipelines would."""
    name = str(about["experiment"])
    organisms = sorted({str(sample["organism"]) for sample in samples.values()})
    technologies = sorted({str(sample["technology"]) for sample in samples.values()})
    row = {"organisms": organisms, "technologies": technologies, "sample_count": len(samples), **about}
    with lake.draft("experiment_record", name) as draft:
        draft.write_table("experiments", [row])
        draft.write_table(
            "samples",
            [{"experiment": name, "sample": key, "title": f"Sample {key}", "has_raw": True, **sample}
             for key, sample in samples.items()],
        )  # fmt: skip
        pairs = [(key, *pair) for key, values in (said or {}).items() for pair in values.items()]
        draft.write_table(
            "sample_metadata",
            [{"experiment": name, "sample": key, "key": field, "value": value, "position": place}
             for place, (key, field, value) in enumerate(pairs)],
        )  # fmt: skip
        draft.commit(version=f"record of {name}", code_version="1")
    with lake.draft("harmonized_metadata", name) as draft:
        rows = [{"experiment": name, "sample": key, **(harmonized or {}).get(key, {})} for key in samples]
        draft.write_table("harmonized_metadata", rows)
        draft.commit(version="1", code_version="1")
    _commit_files(lake, name, samples)
    if processed:
        _commit_results(lake, name, samples, failed or {})


def _commit_files(lake: Lake, name: str, samples: Mapping[str, Mapping[str, Any]]) -> None:
    with lake.draft("raw_files", name) as draft:
        draft.write_table("files", [_file_row(name, key, sample) for key, sample in samples.items()])
        draft.commit(version="1", code_version="1")


def _file_row(name: str, sample: str, about: Mapping[str, Any]) -> dict[str, Any]:
    is_array = about["technology"] == "MICROARRAY"
    file = f"{sample}.CEL.gz" if is_array else f"{sample}_1.fastq.gz"
    row = {"experiment": name, "sample": sample, "role": "cel" if is_array else "fastq_1", "name": file}
    row |= {"origin": f"https://archive.example/{file}", "size": 1000, "path": f"objects/{sample}"}
    row |= {"verdict": "processed", "member": ""}
    return row if is_array else row | {"reads": 100, "mean_read_length": 100.0}


def _commit_results(
    lake: Lake, name: str, samples: Mapping[str, Mapping[str, Any]], failed: Mapping[str, str]
) -> None:
    done = {key: sample for key, sample in samples.items() if key not in failed}
    results = [_result_row(lake, name, key, sample) for key, sample in done.items()]
    results += [
        {"experiment": name, "sample": key, "verdict": "failed", "reason": reason}
        for key, reason in failed.items()
    ]
    with lake.draft("sample_quantifications", name) as draft:
        draft.write_table("results", results)
        draft.write_table(
            "lineage", [_used_index(key, sample) for key, sample in done.items() if _is_reads(sample)]
        )
        draft.commit(version="1", code_version="1")
    with lake.draft("gene_expression", name) as draft:
        draft.write_table(
            "dropped",
            [{"kind": "sample", "item": key, "step": "sample_quantifications", "reason": reason}
             for key, reason in failed.items()],
        )  # fmt: skip
        draft.commit(version=f"matrix of {name}", code_version="2")


def _is_reads(sample: Mapping[str, Any]) -> bool:
    return bool(sample["technology"] == "RNA-SEQ")


def _result_row(lake: Lake, name: str, key: str, sample: Mapping[str, Any]) -> dict[str, Any]:
    head = lake.head("sample_quantification", key) or _quantified(lake, key, sample)
    (file,) = head.files
    row = {"experiment": name, "sample": key, "version": head.version, "verdict": "processed"}
    row |= {"file_path": file.path, "file_size": file.size, "file_sha256": file.sha256}
    if _is_reads(sample):
        return row | {
            "processor": "Salmon",
            "processor_version": "1.10.1",
            "command": "salmon quant",
            "mapping_rate": 0.9,
            "library_type": "IU",
            "warnings": [],
        }
    return row | {"processor": "Affymetrix SCAN", "processor_version": "0.5.0"}


def _quantified(lake: Lake, key: str, sample: Mapping[str, Any]) -> Any:
    with lake.draft("sample_quantification", key) as draft:
        name = "quant.sf.gz" if _is_reads(sample) else "genes.parquet"
        (draft.folder / name).write_bytes(gzip.compress(f"{key}\n{QUANT_SF}".encode(), mtime=0))
        return draft.commit(version=f"values of {key}", code_version="1")


def _used_index(key: str, sample: Mapping[str, Any]) -> dict[str, Any]:
    row = {
        "output_asset": "sample_quantification",
        "output_partition": key,
        "output_version": f"values of {key}",
    }
    row |= {"input_asset": "transcriptome_index", "input_partition": sample["organism"]}
    return row | {"input_version": INDEX_VERSION}


def commit_index(lake: Lake) -> None:
    """Commit the transcriptome index of humans."""
    row = {"organism": HUMAN, "version": INDEX_VERSION, "division": "EnsemblMain", "release": "100"}
    row |= {
        "assembly": "GRCh38",
        "source": "Ensembl",
        "transcripts": 10,
        "genes": 5,
        "salmon_version": "1.10.1",
    }
    with lake.draft("transcriptome_index", HUMAN) as draft:
        for kmer in ("k31", "k23"):
            (draft.folder / kmer).mkdir()
            (draft.folder / kmer / "info.json").write_text(f'{{"k": "{kmer}"}}')
        (draft.folder / "genes_to_transcripts.txt").write_text("G1\tT1\n")
        draft.write_table("transcriptomes", [row])
        draft.commit(version=INDEX_VERSION, code_version="1")


def _commit_target(lake: Lake) -> None:
    with lake.draft("target_quantiles", HUMAN) as draft:
        (draft.folder / "target.tsv").write_text("1.0\n2.0\n")
        draft.commit(version="target 1", code_version="1", inputs=[InputRef("gene_expression", "GSE1", "1")])


def codes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the accessions of rows."""
    return [str(row["accession_code"]) for row in rows]
