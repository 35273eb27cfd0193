"""How fast the web API answers on 40,000 experiments with 1,000,000 samples, simulated.

The catalog is filled directly (a million samples as commits of a lake would take an hour), its holdings are
made as the API makes them, and the server runs as `refinebio-assets api` does. Searches are timed one after
the other; simple reads with wrk where it is installed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import httpx
import numpy as np

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.loading import schema_fingerprint
from refinebio_assets.lake.published import PublishedFiles
from refinebio_assets.lake.store import Lake

WORDS = 60_000
ORGANISMS = 40
SEARCHES = (
    *("search=cancer", "search=medulloblastoma", "search=liver%20mouse%20development", "search=expression"),
    *("", "organism=ORGANISM_0&technology=rna-seq&num_downloadable_samples__gt=0"),
    *("search=tumor&platform=platform7&ordering=_score", "search=GSE1234", "ordering=-num_total_samples"),
)
READS = (
    ("/v1/samples/GSM{}/", "samples"),
    ("/v1/experiments/GSE{}/", "experiments"),
    ("/v1/samples/?limit=25&offset={}", "samples"),
    ("/v1/samples/?experiment_accession_code=GSE{}", "experiments"),
    ("/v1/search/?search=GSE{}", "experiments"),
    ("/v1/organisms/?offset={}", "organisms"),
)
"""Paths, and of what the number in them is one."""

VARIED = """
local seed = 0
function setup(thread) thread:set("number", seed); seed = seed + 1 end
function init() math.randomseed(os.time() + number) end
function request() return wrk.format("GET", string.format("{path}", math.random(0, {most}))) end
"""
"""wrk's script: another object each time, so that no cache answers."""

FILL = """
    INSERT INTO commits BY NAME SELECT
        '20260101T000000.' || lpad((e % 1000000)::VARCHAR, 6, '0') || 'Z-00000000' AS id, asset,
        'GSE' || e AS "partition", 'v' AS version, '1' AS code_version,
        TIMESTAMPTZ '2026-01-01 00:00:00+00' AS created_at, '' AS run_id, true AS is_current
    FROM range({experiments}) t(e), (VALUES ('experiment_record'), ('gene_expression')) a(asset);
    INSERT INTO commits BY NAME SELECT '20260101T000000.000000Z-00000001' AS id, 'target_quantiles' AS asset,
        'ORGANISM_' || o AS "partition", 'v' AS version, '1' AS code_version,
        TIMESTAMPTZ '2026-01-01 00:00:00+00' AS created_at, '' AS run_id, true AS is_current
    FROM range(40) t(o);
    CREATE TEMP TABLE belongs AS
        SELECT s, (hash(s) % {experiments})::BIGINT AS e FROM range({samples}) t(s)
        UNION SELECT s, (hash(s + 7) % {experiments})::BIGINT FROM range({samples}) t(s) WHERE s % 12 = 0;
    INSERT INTO samples BY NAME SELECT 'GSE' || e AS experiment, 'GSM' || s AS sample,
        CASE WHEN e % 3 = 0 THEN 'ORGANISM_' || (e % 200) ELSE 'ORGANISM_0' END AS organism,
        CASE WHEN e % 2 = 0 THEN 'RNA-SEQ' ELSE 'MICROARRAY' END AS technology,
        '[P' || (e % 120) || '] Platform number ' || (e % 120) AS platform, 'platform' || (e % 120)
        AS platform_accession, 'title of ' || s AS title, true AS has_raw, (e % 200) AS taxonomy_id,
        'commit' AS commit_id, 'experiment_record' AS asset, 'GSE' || e AS "partition"
    FROM belongs ORDER BY e, s;
    INSERT INTO harmonized_metadata BY NAME SELECT experiment, sample, 'tissue ' || (hash(sample) % 400) AS
        specimen_part, CASE WHEN hash(sample) % 2 = 0 THEN 'female' ELSE 'male' END AS sex,
        (hash(sample) % 80)::DOUBLE AS age, '' AS title, 'disease ' || (hash(sample) % 90) AS disease,
        'commit' AS commit_id, 'harmonized_metadata' AS asset, experiment AS "partition" FROM samples;
    INSERT INTO sample_metadata BY NAME SELECT experiment, sample, 'key ' || k AS key,
        'value ' || (hash(sample) % 1000) || ' of ' || k AS value, k AS position, 'commit' AS commit_id,
        'experiment_record' AS asset, experiment AS "partition" FROM samples, range({keys}) t(k);
    INSERT INTO results BY NAME SELECT experiment, sample, 'v' || sample AS version, 'processed' AS verdict,
        CASE WHEN technology = 'RNA-SEQ' THEN 'Salmon' ELSE 'SCAN' END AS processor,
        '1.10' AS processor_version,
        'assets/' || sample || '/quant.sf.gz' AS file_path, 1000 AS file_size, 'x' AS file_sha256,
        '20260101T000000.000000Z-00000000' AS commit_id, true AS is_current,
        'sample_quantifications' AS asset, experiment AS "partition" FROM samples WHERE hash(sample) % 10 > 0;
    INSERT INTO files BY NAME SELECT experiment, sample, 'fastq_1' AS role, 'objects/x' AS path,
        'https://archive/' || sample AS origin, sample || '.fastq.gz' AS name, 5000 AS size, 100 AS reads,
        100.0 AS mean_read_length,
        '20260101T000000.000000Z-00000000' AS commit_id, 'raw_files' AS asset, experiment AS "partition"
        FROM samples;
    INSERT INTO experiments BY NAME SELECT 'GSE' || e AS experiment, 'GEO' AS source, words(e, 9) AS title,
        words(e + 1000000, 130) AS description, words(e + 2000000, 12) AS publication_title,
        [words(e + 3000000, 2), words(e + 4000000, 2)] AS authors, '2015-01-01' AS published,
        'Institute ' || (e % 900) AS institution, CASE WHEN e % 3 = 0 THEN e::VARCHAR END AS pubmed_id,
        [] AS organisms, [] AS technologies, 25 AS sample_count, 'commit' AS commit_id,
        'experiment_record' AS asset, 'GSE' || e AS "partition" FROM range({experiments}) t(e);
"""


def vocabulary() -> list[str]:
    """Return words whose frequencies fall as those of language do, some of them real."""
    rng = np.random.default_rng(1)
    syllables = [
        "ba",
        "can",
        "cer",
        "de",
        "ex",
        "gen",
        "he",
        "im",
        "li",
        "me",
        "no",
        "pro",
        "ra",
        "sti",
        "tu",
        "ver",
    ]
    lengths = rng.integers(2, 6, WORDS)
    made = ["".join(rng.choice(syllables, length)) for length in lengths]
    real = ["expression", "cancer", "cells", "mouse", "human", "liver", "tumor", "development", "analysis"]
    return [*real, *made, "medulloblastoma"]


def fill(connection: object, experiments: int, samples: int, keys: int) -> None:
    """Write the simulated rows into the catalog's tables."""
    words = vocabulary()
    connection.execute("CREATE TEMP TABLE vocabulary(place BIGINT, word VARCHAR)")
    connection.execute("INSERT INTO vocabulary SELECT unnest(?), unnest(?)", [list(range(len(words))), words])
    connection.execute("SET VARIABLE words = (SELECT list(word ORDER BY place) FROM vocabulary)")
    # The square of a uniform number prefers the first words, as language does.
    connection.execute(
        """CREATE TEMP MACRO words(seed, number) AS array_to_string(list_transform(range(number),
           lambda n: getvariable('words')[1 + floor(power((hash(seed * 1000 + n) % 1000003) / 1000003.0, 4)
           * len(getvariable('words')))::BIGINT]), ' ')"""
    )
    for statement in FILL.format(experiments=experiments, samples=samples, keys=keys).split(";"):
        if statement.strip():
            connection.execute(statement)


def make_catalog(folder: Path, experiments: int, samples: int, keys: int) -> None:
    """Publish a catalog with simulated rows in a lake that is empty otherwise."""
    import duckdb

    (folder / "log").mkdir(parents=True, exist_ok=True)
    lake = Lake(str(folder))
    catalog = Catalog(lake)
    catalog.sync()
    published = PublishedFiles(catalog.folder)
    pointer = published.pointer()
    building = catalog.folder / "building.duckdb"
    shutil.copyfile(catalog.folder / pointer.file, building)
    building.chmod(0o644)
    with duckdb.connect(str(building)) as connection:
        fill(connection, experiments, samples, keys)
        connection.execute("CHECKPOINT")
    published.publish(building, schema_fingerprint())


def served(folder: Path, what: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start the server, wait until it is ready, say how long that took, and return it with its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        Path(sys.executable).with_name("refinebio-assets"),
        "--home",
        folder,
        "api",
        "--port",
        str(port),
    ]
    log = (folder / "server.log").open("wb")
    server = subprocess.Popen([*command, "--read-only", "--rate-limit", "0"], stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    began = time.monotonic()
    while True:
        try:
            if httpx.get(f"{address}/health").status_code == 200:
                break
        except httpx.TransportError:
            pass
        if server.poll() is not None:
            raise SystemExit((folder / "server.log").read_text())
        time.sleep(0.5)
    print(f"{what}: ready after {time.monotonic() - began:.1f} s")
    return server, address


def end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait()


def timed_searches(client: httpx.Client, rounds: int) -> list[float]:
    """Return how long searches took, in milliseconds; no two are the same, so that none is remembered."""
    took = []
    for number in range(rounds):
        for query in SEARCHES:
            began = time.perf_counter()
            answer = client.get(f"/v1/search/?limit=10&offset={number}&n={number}&{query}")
            took.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 200, answer.text
    return took


def load(server: subprocess.Popen[bytes], address: str, *options: str) -> str:
    """Return how many requests a second wrk gets answered, and the server's processor time for one.

    The latter says more on a machine that does other things, too.
    """
    if shutil.which("wrk") is None:
        return "wrk is not installed"
    before = processor_seconds(server)
    command = ["wrk", "-t1", "-c8", "-d8s", "--latency", *options, address]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    took = processor_seconds(server) - before
    requests = re.search(r"(\d+) requests in", done.stdout)
    rate = re.search(r"Requests/sec:\s+(\S+)", done.stdout)
    tail = re.search(r"99%\s+(\S+)", done.stdout)
    bad = re.search(r"Non-2xx[^\n]*", done.stdout)
    each = took * 1000 / int(requests[1])
    return (
        f"{float(rate[1]):,.0f} requests/s, 99 % within {tail[1]}, {each:.2f} ms CPU {bad[0] if bad else ''}"
    )


def processor_seconds(server: subprocess.Popen[bytes]) -> float:
    """Return the processor time that a process has taken."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def varied_script(folder: Path, pattern: str, most: int) -> Path:
    """Return wrk's script that asks for another object each time."""
    # Lua's format, too, has percent signs.
    path = pattern.replace("%", "%%").replace("{}", "%d")
    script = folder / "varied.lua"
    script.write_text(VARIED.replace("{path}", path).replace("{most}", str(most)))
    return script


def main() -> None:
    """Make the catalog, serve it, and print what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--experiments", type=int, default=40_000)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--folder", type=Path, help="Kept, and used again.")
    options, _ = parser.parse_known_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="bench-api-"))
    name = sha256(f"{options.experiments} {options.samples} {options.keys}".encode()).hexdigest()[:8]
    lake = folder / name
    if not lake.is_dir():
        began = time.monotonic()
        make_catalog(lake, options.experiments, options.samples, options.keys)
        print(f"catalog simulated in {time.monotonic() - began:.1f} s")
    shutil.rmtree(Lake(str(lake)).cache / "api", ignore_errors=True)
    end(served(lake, "the first server of a catalog")[0])
    server, address = served(lake, "a server that starts again")
    try:
        with httpx.Client(base_url=address, timeout=60) as client:
            before = processor_seconds(server)
            took = timed_searches(client, options.rounds)
            each = (processor_seconds(server) - before) * 1000 / len(took)
            median, tail = np.percentile(took, [50, 95])
            print(f"search: median {median:.1f} ms, p95 {tail:.1f} ms, {each:.1f} ms CPU")
            for number, query in enumerate(SEARCHES):
                print(f"  {query or '(everything)':80} {np.median(took[number :: len(SEARCHES)]):6.1f} ms")
        for pattern, kind in READS:
            most = ORGANISMS - 1 if kind == "organisms" else getattr(options, kind) - 1
            same = load(server, address + pattern.format(most // 2))
            script = varied_script(folder, pattern, most)
            print(pattern.format("N"))
            print(f"  the same again and again: {same}")
            print(f"  another each time:        {load(server, address, '-s', str(script))}")
        memory = Path(f"/proc/{server.pid}/status").read_text().split("VmRSS:")[1].split("kB")[0]
        print(f"memory {int(memory) / 1e6:.2f} GB")
    finally:
        end(server)
        if options.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
