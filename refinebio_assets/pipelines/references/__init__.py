"""Use cases of what samples are measured against: transcriptomes, platforms' annotations, gene indexes."""
