# Runs preprocessCore again and again, on request: the protocol of quantile_worker.py.
# Rscript quantile_worker.R OPERATION FOLDER GENES SAMPLES CLOCK; R_THREADS says how many threads it may use.
suppressPackageStartupMessages(library(preprocessCore))
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[2]
genes <- as.integer(arguments[3])
samples <- as.integer(arguments[4])
x <- matrix(readBin(file.path(folder, "matrix.f64"), "double", genes * samples), genes, samples)
target <- readBin(file.path(folder, "target.f64"), "double", 10 * genes)
operation <- if (arguments[1] == "fit") function() normalize.quantiles.determine.target(x) else
  function() normalize.quantiles.use.target(x, target)
input <- file("stdin", "r")
say <- function(text) { cat(text, "\n", sep = ""); flush(stdout()) }
say("ready")
while (length(line <- readLines(input, 1)) > 0) {
  if (line == "run") {
    took <- system.time(result <- operation())
    seconds <- if (arguments[5] == "cpu") took[["user.self"]] + took[["sys.self"]] else took[["elapsed"]]
    say(format(seconds, digits = 6))
  } else {
    writeBin(as.vector(result), sub("^write ", "", line))
    say("written")
  }
}
