"""A small series by GEO's words, whose facts tests change in one respect."""

from __future__ import annotations

GSE = "GSE900001"
SUPPL = "ftp://ftp.ncbi.nlm.nih.gov/geo/samples/GSM9000nnn/GSM9000001/suppl/"
HTTPS = "https://ftp.ncbi.nlm.nih.gov/geo/samples/GSM9000nnn/GSM9000001/suppl/"
TITLES = {
    "GPL96": "[HG-U133A] Affymetrix Human Genome U133A Array",
    "GPL97": "[HG-U133B] Affymetrix Human Genome U133B Array",
    "GPL10558": "Illumina HumanHT-12 V4.0 expression beadchip",
    "GPL9115": "Illumina Genome Analyzer II (Homo sapiens)",
    "GPL99999": "Some custom array",
}


def series(**more):
    facts = {
        "title": ["Kidneys"],
        "summary": ["First paragraph.", "", "Second one."],
        "submission_date": ["Jan 02 2010"],
        "last_update_date": ["Feb 13 2011"],
        "contact_name": ["Jane,,Doe"],
        "contact_email": ["jane@example.org"],
        "contact_phone": ["555"],
        "contact_institute": ["Inst B", "Inst A", "Inst B"],
        "contact_country": ["USA"],
    }
    return facts | more


def sample(gpl="GPL96", files=("NONE",), **more):
    facts = {
        "title": ["kidney 1"],
        "type": ["RNA"],
        "channel_count": ["1"],
        "organism_ch1": ["Homo sapiens"],
        "taxid_ch1": ["9606"],
        "characteristics_ch1": ["age: 5", "tissue: kidney", "no colon here"],
        "data_processing": ["RMA"],
        "platform_id": [gpl],
        "contact_email": ["jane@example.org"],
        "contact_institute": ["Inst B"],
        "supplementary_file": files,
        "series_id": [GSE],
        "data_row_count": ["22283"],
    }
    return facts | more
