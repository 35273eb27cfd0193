# Makes the golden files beside this script: see README.md.
source("scan.R")
with_settings <- function(...) modifyList(fast, list(...))
read <- function(name) read.delim(name, stringsAsFactors = FALSE)
write <- function(table, name) {
  file <- gzfile(name, "w")
  write.table(table, file, sep = "\t", quote = FALSE, row.names = FALSE)
  close(file)
}

probes <- read("probes.tsv.gz")
cases <- list(
  fast = list("plain", fast),
  sampled = list("plain", with_settings(sample_goal = 2000, block = 500)),
  full = list("plain", with_settings(threshold = 0.01, block = 1000)),
  zeros = list("zeros", with_settings(sample_goal = 2000, block = 500)),
  ties = list("ties", with_settings(sample_goal = 2500, block = 473))
)
results <- lapply(cases, function(case) scan_cells(probes[[case[[1]]]], probes$sequence, case[[2]], TRUE))
values <- as.data.frame(lapply(results, function(result) sprintf("%.8f", result$values)))
values$upc <- sprintf("%.8f", results$sampled$upc)
write(values, "probes.expected.tsv.gz")

sets <- summarize_sets(results$sampled$values, probes$set)
write(data.frame(set = names(sets), value = sprintf("%.8f", sets)), "sets.expected.tsv.gz")

beads <- read("beads.tsv.gz")
illumina <- with_settings(count_base = 60, block = 50, noise_seed = 0, seed_step = 0)
bead_result <- scan_log2(beads$log2, beads$sequence, illumina)
write(data.frame(illumina = sprintf("%.8f", bead_result$values)), "beads.expected.tsv.gz")

spots <- read("spots.tsv.gz")
two <- scan_two_color(spots$red, spots$green)
write(data.frame(red = sprintf("%.15g", two[, 1]), green = sprintf("%.15g", two[, 2])), "spots.expected.tsv.gz")

counts <- c(sapply(results, function(result) result$iterations), illumina = bead_result$iterations)
write.table(data.frame(case = names(counts), iterations = counts), "iterations.tsv", sep = "\t",
            quote = FALSE, row.names = FALSE)

set.seed(20)
normals <- rnorm(5000)
write.table(data.frame(place = c(1:3, 5000), seed_20 = sprintf("%.17g", normals[c(1:3, 5000)])),
            "rnorm.tsv", sep = "\t", quote = FALSE, row.names = FALSE)
