# Writes expected.tsv: tximport's lengthScaledTPM counts of the simulated samples.
# Run from this folder: LC_CTYPE=C.UTF-8 LC_COLLATE=C Rscript tximport.R
library(tximport)

rows <- read.table("genes_to_transcripts.txt", sep = "\t", quote = "", comment.char = "",
                   col.names = c("gene", "transcript"), colClasses = "character", encoding = "UTF-8")
samples <- paste0("sample_", 1:5)
files <- setNames(paste0(samples, ".quant.sf"), samples)
result <- tximport(files, type = "salmon", tx2gene = rows[, c("transcript", "gene")],
                   countsFromAbundance = "lengthScaledTPM", dropInfReps = TRUE)
values <- matrix(sprintf("%.17g", result$counts), nrow = nrow(result$counts))
lines <- c(paste(c("Gene", samples), collapse = "\t"),
           paste(rownames(result$counts), apply(values, 1, paste, collapse = "\t"), sep = "\t"))
writeLines(lines, "expected.tsv", useBytes = TRUE)
