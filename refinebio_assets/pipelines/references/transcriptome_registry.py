"""Which files an organism's transcriptome is made from, as registered by a person or a survey."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from refinebio_assets.domain import organism_name
from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.references.registry import ReferenceRegistry

TRANSCRIPTOME_REGISTRATION = "transcriptome_registration"


@dataclass(frozen=True, slots=True)
class TranscriptomeInputs:
    """The inputs of one organism's index: transcripts and gene map, or genome and GTF.

    Locations are paths or URLs. ``division``, ``release``, ``assembly`` and ``source`` say where they
    came from; they are kept as given and may be empty. ``taxonomy_id`` is NCBI's of the species, None
    when nobody told.
    """

    organism: str
    transcripts: str = ""
    gene_map: str = ""
    genome: str = ""
    gtf: str = ""
    division: str = ""
    release: str = ""
    assembly: str = ""
    source: str = ""
    taxonomy_id: int | None = None

    def locations(self) -> dict[str, str]:
        """Return the given inputs, role -> location."""
        roles = {
            "transcripts": self.transcripts,
            "gene_map": self.gene_map,
            "genome": self.genome,
            "gtf": self.gtf,
        }
        return {role: location for role, location in roles.items() if location}


_REGISTRY = ReferenceRegistry(TRANSCRIPTOME_REGISTRATION, lambda info: TranscriptomeInputs(**info["inputs"]))


def register_transcriptome(lake: Lake, inputs: TranscriptomeInputs) -> str:
    """Register an organism's inputs and return the registration's version.

    Raises RequestError unless exactly transcripts and gene map, or genome and GTF, are given.
    """
    if not organism_name(inputs.organism):
        raise RequestError("an organism needs a name")
    if set(inputs.locations()) not in ({"transcripts", "gene_map"}, {"genome", "gtf"}):
        given = ", ".join(inputs.locations()) or "nothing"
        raise RequestError(
            f"a transcriptome is made from --transcripts and --gene-map, or from --genome and --gtf; "
            f"given: {given}"
        )
    content = asdict(inputs)
    if inputs.taxonomy_id is None:
        del content["taxonomy_id"]  # as before it was kept, so that such registrations keep their version
    return _REGISTRY.register(lake, inputs.organism, content)


def registered_transcriptome(lake: Lake, organism: str) -> tuple[TranscriptomeInputs, str]:
    """Return an organism's inputs as last registered, with the registration's version."""
    found = _REGISTRY.find(lake, organism)
    if found is None:
        raise NotFoundError(
            f"no transcriptome is registered for {organism}. Take one from Ensembl with `refinebio-assets "
            f"reference add-ensembl --organism {organism}`, or register your own with `refinebio-assets "
            f"reference add-transcriptome --organism {organism} --transcripts FASTA --gene-map TSV`, or with "
            "--genome FASTA --gtf GTF"
        )
    return found
