"""Examples of answers for the documentation page, from the world of `refinebio-assets demo`."""

from __future__ import annotations

from typing import Any

from refinebio_assets.api.models import datasets, experiments, references, v2

_EXPERIMENT: dict[str, Any] = {
    "id": 3086248891144257,
    "title": "Response of the simulated liver to demonstrone",
    "description": "Hepatocytes of six animals, three treated with demonstrone for 24 hours.",
    "annotations": [
        {
            "data": {"study_title": "Response of the simulated liver to demonstrone", "keywords": ""},
            "is_ccdl": False,
            "created_at": "2026-11-28T08:06:33.989327Z",
            "last_modified": "2026-11-28T08:06:52.330854Z",
        }
    ],
    "samples": [
        {
            "accession_code": "SRR90000001",
            "platform_name": "Illumina HiSeq 2500",
            "pretty_platform": "Illumina HiSeq 2500 (IlluminaHiSeq2500)",
            "technology": "RNA-SEQ",
            "is_processed": True,
            "is_unable_to_be_processed": False,
        }
    ],
    "protocol_description": [
        {
            "type": "extraction protocol",
            "description": "Total RNA was drawn from a random number generator.",
            "reference": "https://www.ebi.ac.uk/ena/browser/view/SRP900001",
            "accession": "",
        }
    ],
    "accession_code": "SRP900001",
    "alternate_accession_code": "PRJNA90000001",
    "source_database": "SRA",
    "source_url": "https://www.ebi.ac.uk/ena/browser/view/SRP900001",
    "has_publication": True,
    "publication_title": "Response of the simulated liver to demonstrone: a simulation.",
    "publication_doi": "10.5555/simulated.90000001",
    "publication_authors": ["Muster M", "Doe J"],
    "pubmed_id": "90000001",
    "source_first_published": "2026-01-15T00:00:00.000000Z",
    "source_last_modified": "2026-01-20T00:00:00.000000Z",
    "submitter_institution": "Institute of Simulated Biology",
    "last_modified": "2026-11-28T08:06:52.330854Z",
    "created_at": "2026-11-28T08:06:33.989327Z",
    "organism_names": ["SIMULATUM_DEMONSTRANS"],
    "sample_metadata": ["age", "sex", "specimen_part", "time", "treatment"],
    "num_total_samples": 6,
    "num_processed_samples": 6,
    "num_downloadable_samples": 6,
}

_SAMPLE: dict[str, Any] = {
    "id": 974621151854753,
    "title": "liver_control_1",
    "accession_code": "SRR90000001",
    "source_database": "SRA",
    "organism": {"name": "SIMULATUM_DEMONSTRANS", "taxonomy_id": 90000001},
    "platform_accession_code": "IlluminaHiSeq2500",
    "platform_name": "Illumina HiSeq 2500",
    "pretty_platform": "Illumina HiSeq 2500 (IlluminaHiSeq2500)",
    "technology": "RNA-SEQ",
    "manufacturer": "ILLUMINA",
    "protocol_info": [
        {
            "type": "extraction protocol",
            "description": "Total RNA was drawn from a random number generator.",
            "reference": "https://www.ebi.ac.uk/ena/browser/view/SRP900001",
            "accession": "",
        }
    ],
    "annotations": [
        {
            "data": {"library_layout": "PAIRED", "instrument_model": "Illumina HiSeq 2500"},
            "is_ccdl": False,
            "created_at": "2026-11-28T08:06:33.989327Z",
            "last_modified": "2026-11-28T08:06:52.330854Z",
        }
    ],
    "results": [
        {
            "id": 1698305522790749,
            "processor": {
                "id": 3333827925172476,
                "name": "Salmon Quant",
                "version": "1.10.1",
                "docker_image": "",
                "environment": {
                    "os_distribution": "",
                    "os_pkg": {},
                    "cmd_line": {"salmon --version": "salmon 1.10.1"},
                    "python": {},
                    "R": {},
                },
            },
            "organism_index": {
                "id": 3284191544122508,
                "assembly_name": "",
                "organism_name": "SIMULATUM_DEMONSTRANS",
                "database_name": "",
                "release_version": "",
                "index_type": "TRANSCRIPTOME_LONG",
                "salmon_version": "salmon 1.10.1",
                "download_url": "https://server.example/v1/download/transcriptome_index/3284191544122508/"
                "SIMULATUM_DEMONSTRANS_TRANSCRIPTOME_LONG.tar",
                "result_id": 836824771640608,
                "last_modified": "2026-11-28T08:06:26.781064Z",
            },
        }
    ],
    "source_archive_url": "https://www.ebi.ac.uk/ena/browser/view/SRP900001",
    "has_raw": True,
    "sex": "female",
    "age": "12.000",
    "specimen_part": "hepatocyte;liver",
    "genetic_information": "",
    "developmental_stage": "",
    "disease": "",
    "disease_stage": "",
    "cell_line": "",
    "treatment": "vehicle",
    "race": "",
    "subject": "",
    "compound": "",
    "time": "24 h",
    "is_processed": True,
    "is_unable_to_be_processed": False,
    "created_at": "2026-11-28T08:06:33.989327Z",
    "last_modified": "2026-11-28T08:06:52.330854Z",
    "original_files": [227816847933673, 1702344150013565],
    "computed_files": [978533538630096],
    "last_processor_job": None,
    "last_downloader_job": None,
    "most_recent_smashable_file": None,
    "most_recent_quant_file": {
        "id": 978533538630096,
        "filename": "quant.sf.gz",
        "size_in_bytes": 5622,
        "is_smashable": False,
        "is_qc": False,
        "sha1": "",
        "s3_bucket": None,
        "s3_key": None,
        "created_at": "2026-11-28T08:06:51.629502Z",
        "last_modified": "2026-11-28T08:06:51.629502Z",
    },
    "contributed_metadata": {},
    "contributed_keywords": {},
    "experiment_accession_codes": ["SRP900001"],
}

_SEARCH: dict[str, Any] = {
    "count": 1,
    "next": None,
    "previous": None,
    "facets": {
        "technology": {"rna-seq": 6},
        "downloadable_organism_names": {"SIMULATUM_DEMONSTRANS": 6},
        "platform_accession_codes": {"IlluminaHiSeq2500": 6},
        "has_publication": {"true": 6},
    },
    "results": [
        {
            "id": 3086248891144257,
            "title": "Response of the simulated liver to demonstrone",
            "publication_title": "Response of the simulated liver to demonstrone: a simulation.",
            "description": "Hepatocytes of six animals, three treated with demonstrone for 24 hours.",
            "technology": "RNA-SEQ",
            "accession_code": "SRP900001",
            "alternate_accession_code": "PRJNA90000001",
            "submitter_institution": "Institute of Simulated Biology",
            "has_publication": True,
            "publication_doi": "10.5555/simulated.90000001",
            "publication_authors": ["Muster M", "Doe J"],
            "sample_metadata_fields": ["age", "sex", "specimen_part", "time", "treatment"],
            "platform_names": ["Illumina HiSeq 2500"],
            "platform_accession_codes": ["IlluminaHiSeq2500"],
            "organism_names": ["SIMULATUM_DEMONSTRANS"],
            "downloadable_organism_names": ["SIMULATUM_DEMONSTRANS"],
            "pubmed_id": "90000001",
            "num_total_samples": 6,
            "num_processed_samples": 6,
            "num_downloadable_samples": 6,
            "source_first_published": "2026-01-15T00:00:00.000000Z",
        }
    ],
}

_ORGANISM: dict[str, Any] = {
    "name": "SIMULATUM_DEMONSTRANS",
    "taxonomy_id": 90000001,
    "has_compendia": False,
    "has_quantfile_compendia": False,
}

_TOKEN: dict[str, Any] = {
    "id": "8d0b5c9e-5f0b-4c55-9f5a-52b0e1c0f6a1",
    "is_activated": True,
    "terms_and_conditions": "The data are public. Their submitters and archives may have terms of their own.",
}

_DATASET: dict[str, Any] = {
    "id": "5d2ba9c5-3cbb-4f4e-a1d7-0fe0a3e9f0b1",
    "data": {"SRP900001": ["SRR90000001", "SRR90000002"]},
    "aggregate_by": "SPECIES",
    "scale_by": "NONE",
    "is_processing": False,
    "is_processed": False,
    "is_available": False,
    "has_email": True,
    "expires_on": None,
    "s3_bucket": "",
    "s3_key": "",
    "success": None,
    "failure_reason": "",
    "created_at": "2026-11-28T09:37:33.997713Z",
    "last_modified": "2026-11-28T09:37:33.997713Z",
    "start": None,
    "size_in_bytes": None,
    "sha1": None,
    "quantile_normalize": True,
    "quant_sf_only": False,
    "svd_algorithm": "NONE",
}

_GENE_LOSS = [
    {
        "matrix": "SIMULATUM_DEMONSTRANS",
        "measured_with": "Affymetrix Human Genome U133A Array (hgu133a)",
        "samples": 4,
        "genes": 140,
        "alone_removed": 2,
    },
    {
        "matrix": "SIMULATUM_DEMONSTRANS",
        "measured_with": "RNA-SEQ",
        "samples": 6,
        "genes": 131,
        "alone_removed": 11,
    },
]

_VERSIONS = [
    {
        "id": "20261128T080652.330854Z-9cdfbb09",
        "version": "1a8ddfdf2b9d01d52c809f50df126c2ff2eeaf2d3d019c90c59c467762ba7da5",
        "code_version": "3",
        "created_at": "2026-11-28T08:06:52.330854+00:00",
        "run_id": "ed950061-8425-45b5-b21c-bb47270c6e00",
        "is_current": True,
    }
]

EXAMPLES: dict[Any, Any] = {
    experiments.Experiment: _EXPERIMENT,
    experiments.Sample: _SAMPLE,
    experiments.SamplePage: {"count": 1, "next": None, "previous": None, "results": [_SAMPLE]},
    experiments.SearchPage: _SEARCH,
    references.Organism: _ORGANISM,
    datasets.Token: _TOKEN,
    datasets.Dataset: _DATASET,
    list[v2.GeneLoss]: _GENE_LOSS,
    list[v2.Version]: _VERSIONS,
}
"""By the shape of the answer."""
