# Normalizes one array with the plain R of the golden cases and prints CPU seconds and iterations.
# Arguments: scan.R, a table (sequence, intensity, set), where to write values, where to write sets,
# the sample's size, the threshold. Reading and writing are not timed.
arguments <- commandArgs(trailingOnly = TRUE)
source(arguments[1])
probes <- read.delim(arguments[2], stringsAsFactors = FALSE)
settings <- modifyList(fast, list(sample_goal = as.numeric(arguments[5]), threshold = as.numeric(arguments[6])))
before <- proc.time()
result <- scan_cells(probes$intensity, probes$sequence, settings)
sets <- summarize_sets(result$values, probes$set)
spent <- proc.time() - before
writeLines(sprintf("%.8f", result$values), arguments[3])
writeLines(sprintf("%s\t%.8f", names(sets), sets), arguments[4])
memory <- sub("[^0-9]*([0-9]+).*", "\\1", grep("VmHWM", readLines("/proc/self/status"), value = TRUE))
cat(spent["user.self"] + spent["sys.self"], spent["elapsed"], result$iterations, as.numeric(memory) / 1000, "\n")
