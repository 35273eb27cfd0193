"""What the mirror says is read here by the formats' own rules; the project's code reads CEL files only."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from refinebio_assets.formats.cel import read_cel
from refinebio_assets.simulate.design import EXPERIMENTS
from refinebio_assets.simulate.geo_tables import MISSING_PROBE
from refinebio_assets.simulate.world import World

GEO = "https://ftp.ncbi.nlm.nih.gov/geo"
ENA = "https://www.ebi.ac.uk/ena/portal/api/search/?result={}&fields=all&format=json&includeAccessions={}"
AE = "https://www.ebi.ac.uk/biostudies/files/E-MTAB-900001"


class Index:
    """The mirror's index: body files by URL."""

    def __init__(self, world: World) -> None:
        self.lines = [json.loads(line) for line in world.mirror.read_text().splitlines()]
        self._folder = world.mirror.parent
        self._bodies = {line["url"]: line["body"] for line in self.lines}

    def path(self, url: str) -> Path:
        return Path(self._folder / self._bodies[url])

    def data(self, url: str) -> bytes:
        return self.path(url).read_bytes()

    def json(self, url: str) -> Any:
        return json.loads(self.data(url))

    def ending(self, end: str) -> list[str]:
        return [url for url in self._bodies if url.endswith(end)]


@pytest.fixture(scope="module")
def index(world: World) -> Index:
    return Index(world)


def intensities(cel: bytes, folder: Path) -> npt.NDArray[np.float64]:
    """Read a CEL file into rows x columns, with the project's reader."""
    (folder / "array.CEL").write_bytes(cel)
    found = read_cel(folder / "array.CEL")
    assert (found.chip_type, len(found.outliers), len(found.masked)) == ("HG-U133A", 5, 0)
    return found.intensities.reshape(found.rows, found.columns)


def test_every_answer_has_a_body_with_the_size_and_checksum_it_promises(world: World, index: Index) -> None:
    assert len({line["url"] for line in index.lines}) == len(index.lines)
    for line in index.lines:
        data = (world.folder / line["body"]).read_bytes()
        assert (line["method"], line["status"], line["location"]) == ("GET", 200, None)
        assert line["bytes"] == int(line["content_length"]) == len(data)
        assert line["sha1"] == hashlib.sha1(data).hexdigest()
        if line["content_type"] == "application/json":
            json.loads(data)


def test_no_file_of_the_mirror_is_without_a_url_and_reads_are_on_the_disk_once(
    world: World, index: Index
) -> None:
    bodies = {line["body"] for line in index.lines}
    files = [
        path
        for folder in ("mirror", "reads")
        for path in (world.folder / folder).rglob("*")
        if path.is_file()
    ]
    assert bodies == {path.relative_to(world.folder).as_posix() for path in files}
    fastq = list(world.folder.rglob("*.fastq.gz"))
    assert len(fastq) == 16
    assert {path.parent.name for path in fastq} == {"reads"}


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.accession)
def test_runs_promise_the_reads_that_are_there(experiment: Any, index: Index) -> None:
    (study,) = index.json(ENA.format("study", experiment.accession))
    runs = index.json(ENA.format("read_run", experiment.accession))
    assert study["study_title"] == experiment.title
    assert [run["run_accession"] for run in runs] == [sample.accession for sample in experiment.samples]
    assert index.json(ENA.format("read_run", study["accession"])) == runs
    for run in runs:
        assert index.json(ENA.format("read_run", run["run_accession"])) == [run]
        columns = [run[key].split(";") for key in ("fastq_ftp", "fastq_bytes", "fastq_md5")]
        for path, size, md5 in zip(*columns, strict=True):
            data = index.data(f"https://{path}")
            assert (len(data), hashlib.md5(data).hexdigest()) == (int(size), md5)
            assert gzip.decompress(data).startswith(f"@{run['run_accession']}.".encode())


def test_biosamples_give_the_metadata_of_the_sample_sheet(index: Index) -> None:
    for sample in (sample for experiment in EXPERIMENTS for sample in experiment.samples):
        record = index.json(f"https://www.ebi.ac.uk/biosamples/samples/{sample.biosample}?format=json")
        assert record["accession"] == sample.biosample
        texts = {key: entries[0]["text"] for key, entries in record["characteristics"].items()}
        assert sample.metadata.items() - texts.items() == {
            (key, value) for key, value in sample.metadata.items() if not value
        }


def soft_samples(text: str) -> dict[str, list[str]]:
    """Return the attribute lines of each sample, tables left out."""
    text = re.sub(r"^!\w+_table_begin\n.*?^!\w+_table_end\n", "", text, flags=re.MULTILINE | re.DOTALL)
    entities = [part.splitlines() for part in text.split("^")[1:]]
    return {lines[0].split(" = ")[1]: lines[1:] for lines in entities if lines[0].startswith("SAMPLE")}


def test_the_affymetrix_series_has_four_samples_with_cel_files(index: Index, tmp_path: Path) -> None:
    text = gzip.decompress(index.data(f"{GEO}/series/GSE900nnn/GSE900001/soft/GSE900001_family.soft.gz"))
    samples = soft_samples(text.decode())
    assert list(samples) == [f"GSM9000000{number}" for number in (1, 2, 3, 4)]
    files = [line.split(" = ")[1] for lines in samples.values() for line in lines if "supplementary" in line]
    cels = {
        url.rsplit("/", 1)[1]: index.data(url.replace("ftp://ftp.ncbi", "https://ftp.ncbi")) for url in files
    }
    arrays = np.array([intensities(data, tmp_path) for data in cels.values()])
    assert [name.rsplit("_", 1)[1] for name in cels] == ["HG-U133A.CEL"] * 3 + ["HG-U133A.CEL.gz"]
    assert [data[:2] for data in cels.values()] == [b"[C", b"@\0", b";\1", b"\x1f\x8b"]
    assert arrays.shape == (4, 128, 128)
    assert 20 <= np.quantile(arrays, 0.01) < 50 < np.median(arrays) < 200
    assert 5_000 < arrays.max() <= 65_534
    # Animals of one group are alike.
    correlations = np.corrcoef(np.log2(arrays[:, 1:-1, 1:-1].reshape(4, -1)))
    assert correlations[0, 1] > correlations[0, 2]
    assert correlations[2, 3] > correlations[1, 3]
    with tarfile.open(
        fileobj=io.BytesIO(index.data(f"{GEO}/series/GSE900nnn/GSE900001/suppl/GSE900001_RAW.tar"))
    ) as archive:
        packed = {member.name: stream.read() for member in archive if (stream := archive.extractfile(member))}
    assert packed == cels


def test_each_geo_record_alone_says_what_the_family_file_says(index: Index) -> None:
    for series in ("GSE900001", "GSE900002", "GSE900003", "GSE900004"):
        text = gzip.decompress(index.data(f"{GEO}/series/GSE900nnn/{series}/soft/{series}_family.soft.gz"))
        for accession, lines in soft_samples(text.decode()).items():
            url = f"https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi?targ=self&acc={accession}&form=text&view=brief"
            alone = index.data(url).decode().splitlines()
            assert alone == [
                f"^SAMPLE = {accession}",
                *(line for line in lines if not line.startswith("#")),
            ]


def test_the_bead_array_table_has_signals_and_detection_of_each_sample(index: Index) -> None:
    url = f"{GEO}/series/GSE900nnn/GSE900002/suppl/GSE900002_non_normalized.txt.gz"
    lines = gzip.decompress(index.data(url)).decode().splitlines()
    header, *rows = [line.split("\t") for line in lines[2:]]
    named = [cell for n in (1, 2, 3) for cell in (f"blood_{n}", "Detection Pval")]
    assert header == ["ID_REF", *named, "Avg_NBEADS"]
    assert rows[MISSING_PROBE][1] == ""
    values = np.array([row[1:-1] for row in rows if row[1]], dtype=float)
    signals, detection = values[:, ::2], values[:, 1::2]
    assert len(rows) > 1_000 and values.shape == (len(rows) - 1, 6)
    assert ((detection >= 0) & (detection <= 1)).all()
    assert 0.3 < np.mean(detection < 0.05) < 0.7
    assert signals[detection == 0].min() > np.median(signals[detection > 0.5])
    text = gzip.decompress(index.data(f"{GEO}/series/GSE900nnn/GSE900002/soft/GSE900002_family.soft.gz"))
    titles = [
        line.split(" = ")[1]
        for lines in soft_samples(text.decode()).values()
        for line in lines
        if line.startswith("!Sample_title")
    ]
    assert titles == header[1:-1:2]


@pytest.mark.parametrize(("series", "samples"), [("GSE900003", (21, 22, 23)), ("GSE900004", (33, 34))])
def test_samples_without_raw_data_have_their_values_in_the_miniml_archive(
    series: str, samples: tuple[int, ...], index: Index
) -> None:
    archive = index.data(f"{GEO}/series/GSE900nnn/{series}/miniml/{series}_family.xml.tgz")
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        tables = {member.name: stream.read() for member in packed if (stream := packed.extractfile(member))}
    assert set(tables) == {f"{series}_family.xml", *(f"GSM900000{number}-tbl-1.txt" for number in samples)}
    rows = [line.split("\t") for line in tables[f"GSM900000{samples[0]}-tbl-1.txt"].decode().splitlines()]
    assert {row[1] for row in rows} == {"P", "A"} and all(float(row[2]) > 0 for row in rows)
    text = gzip.decompress(index.data(f"{GEO}/series/GSE900nnn/{series}/soft/{series}_family.soft.gz"))
    described = soft_samples(text.decode())[f"GSM900000{samples[0]}"]
    assert [line.split(" = ")[0] for line in described if line.startswith("#")] == [
        *("#ID_REF", "#ABS_CALL", "#VALUE")
    ]


def test_the_arrayexpress_experiment_names_its_files_the_same_way_everywhere(
    index: Index, tmp_path: Path
) -> None:
    study = index.json("https://www.ebi.ac.uk/biostudies/api/v1/studies/E-MTAB-900001")
    files = [
        file for part in study["section"]["subsections"][-1]["subsections"] for file in part.get("files", [])
    ]
    for file in files:
        assert len(index.data(f"{AE}/{file['path']}")) == file["size"]
    header, *rows = [
        line.split("\t") for line in index.data(f"{AE}/E-MTAB-900001.sdrf.txt").decode().splitlines()
    ]
    assert {len(row) for row in rows} == {len(header)}
    named = [row[header.index("Array Data File")] for row in rows]
    assert named == [file["path"] for file in files if file["path"].endswith(".CEL")]
    (archive,) = {row[header.index("Comment [ArrayExpress FTP file]")] for row in rows}
    packed = zipfile.ZipFile(io.BytesIO(index.data(archive.replace("ftp://", "https://"))))
    assert {name: packed.read(name) for name in packed.namelist()} == {
        name: index.data(f"{AE}/{name}") for name in named
    }
    assert all(intensities(packed.read(name), tmp_path).shape == (128, 128) for name in named)
    idf = dict(
        line.split("\t", 1) for line in index.data(f"{AE}/E-MTAB-900001.idf.txt").decode().splitlines()
    )
    assert idf["SDRF File"] == "E-MTAB-900001.sdrf.txt"
    assert {cell for row in rows for cell in row if cell.startswith("P-MTAB")} == set(
        idf["Protocol Name"].split("\t")
    )


def test_the_world_says_which_experiments_its_mirror_knows(world: World) -> None:
    series = [f"GSE90000{number}" for number in (1, 2, 3, 4)]
    assert world.archive_accessions == (*world.experiments, *series, "E-MTAB-900001")
    assert world.experiments == ("SRP900001", "SRP900002")
