# Normalizes the samples of one BeadArray file with limma's nec and the plain R of the golden cases, and prints
# CPU seconds of each sample, its iterations, and the peak memory in MB.
# Arguments: scan.R, a table (sequence, then signals and p-values in turn), where to write corrected values,
# where to write normalized values. Reading and writing are not timed.
arguments <- commandArgs(trailingOnly = TRUE)
source(arguments[1])
suppressPackageStartupMessages(library(limma))
probes <- read.delim(arguments[2], stringsAsFactors = FALSE)
numbers <- as.matrix(probes[, -1])
signals <- numbers[, c(TRUE, FALSE), drop = FALSE]
p_values <- numbers[, c(FALSE, TRUE), drop = FALSE]
illumina <- modifyList(fast, list(count_base = 60, block = 50, noise_seed = 0, seed_step = 0))
cpu <- function() sum(proc.time()[c("user.self", "sys.self")])
before <- cpu()
corrected <- nec(if (max(signals) > 100) log2(signals) else signals, detection.p = p_values)
of_correction <- (cpu() - before) / ncol(signals)
values <- corrected
for (sample in seq_len(ncol(signals))) {
  before <- cpu()
  result <- scan_log2(corrected[, sample], probes$sequence, illumina)
  values[, sample] <- result$values
  cat(cpu() - before + of_correction, result$iterations, "\n")
}
write.table(format(corrected, digits = 17), arguments[3], sep = "\t", quote = FALSE, row.names = FALSE, col.names = FALSE)
write.table(format(values, nsmall = 8), arguments[4], sep = "\t", quote = FALSE, row.names = FALSE, col.names = FALSE)
memory <- sub("[^0-9]*([0-9]+).*", "\\1", grep("VmHWM", readLines("/proc/self/status"), value = TRUE))
cat(as.numeric(memory) / 1000, "\n")
