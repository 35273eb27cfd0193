# Writes what preprocessCore makes of the simulated samples and targets: see README.md.
suppressPackageStartupMessages(library(preprocessCore))
cat(R.version.string, "preprocessCore", as.character(packageVersion("preprocessCore")), "\n")

read_vectors <- function(file) {
  fields <- strsplit(readLines(file), "\t")
  names(fields) <- sapply(fields, `[`, 1)
  lapply(fields, function(one) as.numeric(ifelse(one == "NA", NA, one)[-1]))
}
# Bits, not decimals: nothing is lost, and infinities and missing values need no care.
line <- function(name, values) {
  texts <- ifelse(is.na(values) & !is.nan(values), "NA", sprintf("%a", values))
  paste(c(name, texts), collapse = "\t")
}

write_lines <- function(lines, file) {
  output <- gzfile(file, "w")
  writeLines(lines, output)
  close(output)
}

samples <- read_vectors("samples.tsv")
targets <- read_vectors("targets.tsv")
few <- read_vectors("few_samples.tsv")
matrices <- list(
  plain = samples[c("plain", "negative", "float32")],
  ties = samples[c("counts", "zeros", "constant", "close")],
  wild = samples[c("plain", "wild")],
  missing = samples[setdiff(names(samples), c("none", "wild", "wild_missing"))],
  one_sample = samples["plain_missing"]
)

used <- character()
for (target in names(targets)) {
  result <- normalize.quantiles.use.target(do.call(cbind, samples), targets[[target]])
  used <- c(used, sapply(seq_along(samples), function(i) line(paste(target, names(samples)[i]), result[, i])))
  for (name in names(few)) {
    result <- normalize.quantiles.use.target(matrix(few[[name]], ncol = 1), targets[[target]])
    used <- c(used, line(paste(target, name), result[, 1]))
  }
}
write_lines(used, "use_target.tsv.gz")

made <- character()
for (name in names(matrices)) {
  x <- do.call(cbind, matrices[[name]])
  for (length in c(64, 1, 2, 33, 90, 200)) {
    made <- c(made, line(paste(name, length), normalize.quantiles.determine.target(x, length)))
  }
}
write_lines(made, "determine_target.tsv.gz")

full <- character()
for (name in names(matrices)) {
  result <- normalize.quantiles(do.call(cbind, matrices[[name]]))
  full <- c(full, sapply(seq_along(matrices[[name]]), function(i) {
    line(paste(name, names(matrices[[name]])[i]), result[, i])
  }))
}
write_lines(full, "normalize_quantiles.tsv.gz")
