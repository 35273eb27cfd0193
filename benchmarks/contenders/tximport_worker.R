# Runs R's tximport again and again, on request: the protocol of tximport_worker.py.
# Rscript tximport_worker.R FOLDER. Packages and the gene map are loaded first and are not timed.
suppressPackageStartupMessages({
  library(tximport)
  library(readr)
})
folder <- commandArgs(trailingOnly = TRUE)[1]
files <- sort(list.files(folder, pattern = "[.]sf$", full.names = TRUE), method = "radix")
names(files) <- basename(files)
rows <- as.data.frame(read_tsv(file.path(folder, "genes_to_transcripts.txt"), col_types = "cc",
                               col_names = c("gene", "transcript"), progress = FALSE))
input <- file("stdin", "r")
say <- function(text) { cat(text, "\n", sep = ""); flush(stdout()) }
say("ready")
while (length(line <- readLines(input, 1)) > 0) {
  if (line == "run") {
    took <- system.time(result <- suppressMessages(
      tximport(files, type = "salmon", tx2gene = rows[, c("transcript", "gene")],
               countsFromAbundance = "lengthScaledTPM", dropInfReps = TRUE)))
    say(format(took[["elapsed"]], digits = 6))
  } else {
    values <- matrix(sprintf("%.17g", result$counts), nrow = nrow(result$counts))
    lines <- paste(rownames(result$counts), apply(values, 1, paste, collapse = "\t"), sep = "\t")
    writeLines(lines, sub("^write ", "", line), useBytes = TRUE)
    say("written")
  }
}
