#!/bin/sh
# Writes expected.transcripts.fa and genes_to_transcripts.txt as refine.bio's index building does.
# Run from this folder: sh rsem.sh
set -eu
work=$(mktemp -d)
grep -v pseudogene annotation.gtf > "$work/no_pseudogenes.gtf"
awk -F '\t' '$3 == "transcript" { gsub(/[;"]/, "", $9); n = split($9, word, " ");
  for (i = 1; i < n; i++) { if (word[i] == "gene_id") g = word[i + 1]; if (word[i] == "transcript_id") t = word[i + 1] }
  print g "\t" t }' "$work/no_pseudogenes.gtf" > genes_to_transcripts.txt
rsem-prepare-reference --gtf "$work/no_pseudogenes.gtf" --transcript-to-gene-map genes_to_transcripts.txt \
  genome.fa "$work/reference"
cp "$work/reference.transcripts.fa" expected.transcripts.fa
rm -r "$work"
