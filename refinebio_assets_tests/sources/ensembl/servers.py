"""Ensembl's servers as small made-up ones: they answer what a test put there, 404 to all else."""

from __future__ import annotations

import json
from typing import Any

import httpx

from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.retry import Patience

REST = "https://rest.ensembl.org/info"
MAIN = "https://ftp.ensembl.org/pub"
GENOMES = "http://ftp.ensemblgenomes.org/pub"
TABLE_HEADER = "#name\tspecies\tdivision\ttaxonomy_id\tassembly\tcore_db\tspecies_id\n"


class Ensembl:
    """What the servers have: answers to GET by URL without query, and sizes of files by URL."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.files: dict[str, int] = {}
        self.failing: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.put(f"{REST}/software", {"release": 110})
        self.put(f"{REST}/eg_version", {"version": 57})

    def put(self, url: str, value: Any) -> None:
        """Answer with a text, or with anything else as JSON."""
        self.pages[url] = value if isinstance(value, str) else json.dumps(value)

    def list_main(self, *species: dict[str, Any]) -> None:
        """List genomes of Ensembl proper."""
        self.put(f"{REST}/species", {"species": species})

    def list_division(self, division: str, *species: dict[str, Any]) -> None:
        """List genomes of another division."""
        self.put(f"{REST}/genomes/division/{division}", species)

    def add_files(self, *urls: str, size: int = 7) -> None:
        """Have files of this size."""
        self.files.update(dict.fromkeys(urls, size))

    def web(self) -> Web:
        """Return a client that reaches these servers only, and does not wait."""
        return Web(httpx.MockTransport(self._answer), patience=Patience(tries=2), sleep=lambda _: None)

    @property
    def heads(self) -> list[str]:
        """The files that were asked for, in order."""
        return [url for method, url in self.asked if method == "HEAD"]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url).split("?", 1)[0]
        self.asked.append((request.method, url))
        if url in self.failing:
            return httpx.Response(500)
        if request.method == "HEAD" and url in self.files:
            return httpx.Response(200, headers={"content-length": str(self.files[url])})
        if request.method == "GET" and url in self.pages:
            return httpx.Response(200, content=iter([self.pages[url].encode()]))
        return httpx.Response(404)


def main_species(name: str, assembly: str = "A1", **more: Any) -> dict[str, Any]:
    """Return a genome as Ensembl proper lists it."""
    return {"name": name, "assembly": assembly, "taxon_id": "1", "aliases": [], **more}


def genome(name: str, assembly: str = "A1", **more: Any) -> dict[str, Any]:
    """Return a genome as the other divisions list it."""
    return {
        "name": name,
        "assembly_name": assembly,
        "assembly_default": assembly.replace(" ", "_"),
        "taxonomy_id": 2,
        "species_taxonomy_id": 1,
        **more,
    }


def table_row(species: str, assembly: str, core_db: str) -> str:
    """Return a line of species_<division>.txt, which ends with a tab."""
    return f"A name\t{species}\tEnsembl\t1\t{assembly}\t{core_db}\t1\t\n"
