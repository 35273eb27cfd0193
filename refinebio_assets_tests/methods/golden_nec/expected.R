# Makes the golden files beside this script: see README.md.
library(limma)
source("../scan/golden/scan.R")
beads <- read.delim("beads.tsv.gz", stringsAsFactors = FALSE)
illumina <- modifyList(fast, list(count_base = 60, block = 50, noise_seed = 0, seed_step = 0))
samples <- c("S1", "S2", "S3")
signals <- as.matrix(beads[paste0(samples, ".signal")])
p_values <- as.matrix(beads[paste0(samples, ".p")])
digits <- function(values, format = "%.13f") ifelse(is.na(values), "", sprintf(format, values))
table <- list()
counts <- c()
add_scan <- function(name, values, rows) {
  result <- scan_log2(values, beads$sequence[rows], illumina)
  filled <- rep(NA, nrow(beads))
  filled[rows] <- result$values
  table[[paste0(name, ".value")]] <<- digits(filled, "%.8f")
  counts[name] <<- result$iterations
}

for (sample in seq_along(samples)) { # a sample with missing cells is a file without these rows
  rows <- which(!is.na(signals[, sample]))
  corrected <- nec(log2(signals[rows, sample, drop = FALSE]), detection.p = p_values[rows, sample, drop = FALSE])
  filled <- rep(NA, nrow(beads))
  filled[rows] <- corrected
  table[[paste0(samples[sample], ".nec")]] <- digits(filled)
  add_scan(samples[sample], corrected[, 1], rows)
}
# without a logarithm the mean signal is above limma's floor of 10
unlogged <- nec(signals[, 1:2], detection.p = p_values[, 1:2])
table$unlogged1.nec <- digits(unlogged[, 1])
table$unlogged2.nec <- digits(unlogged[, 2])
# log2 values of which some are negative: background-corrected before, and used as they are
add_scan("before", log2(signals[, 1]) - 7, seq_len(nrow(beads)))

file <- gzfile("expected.tsv.gz", "w")
write.table(as.data.frame(table), file, sep = "\t", quote = FALSE, row.names = FALSE)
close(file)
write.table(data.frame(case = names(counts), iterations = counts), "iterations.tsv", sep = "\t",
            quote = FALSE, row.names = FALSE)
writeLines(capture.output(R.version.string, packageVersion("limma")))
