# SCAN, UPC and SCAN_TwoColor in plain R, written from a description of what the R package SCAN.UPC does,
# not from its source. Base R only: its rnorm, sort, solve, dnorm, mean and round are the ones SCAN.UPC uses.
# Sourced by expected.R, which makes the golden files, and by benchmarks/bench_scan.py.

design_matrix <- function(sequences, count_base) {
  letters <- do.call(rbind, strsplit(sequences, ""))
  a <- (letters == "A") * 1
  c <- (letters == "C") * 1
  g <- (letters == "G") * 1
  counts <- cbind(rowSums(a), rowSums(c), rowSums(g))
  t <- count_base - rowSums(counts)
  cbind(t, a, c, g, counts^2, t^2)
}

assign_bins <- function(values, bins, seed_step, seed = 1) {
  n <- length(values)
  ends <- sort(values)[floor(n * seq_len(bins) / bins)]
  assigned <- rep(1, n)
  for (end in ends) assigned <- assigned + (values > end)
  if (length(unique(assigned)) == bins) return(assigned)
  set.seed(seed)
  assign_bins(values + rnorm(n) / 1e7, bins, seed_step, seed + seed_step)
}

weighted_fit <- function(x, y, weights) {
  as.vector(solve(t(x) %*% (x * weights)) %*% (t(x) %*% (y * weights)))
}

bin_variances <- function(residuals, share, assigned, bins) {
  weights <- share + 0.01
  sapply(seq_len(bins), function(k) {
    inside <- assigned == k
    sum(weights[inside] * residuals[inside]^2) / sum(weights[inside])
  })
}

fit_mixture <- function(x, y, settings) {
  bins <- settings$bins
  middle <- sort(y)[floor(length(y) / 2) - 1]
  g1 <- (y <= middle) * 1
  g2 <- 1 - g1
  b1 <- weighted_fit(x, y, g1)
  b2 <- weighted_fit(x, y, g2)
  assigned <- assign_bins(y, bins, settings$seed_step)
  m1 <- as.vector(x %*% b1)
  m2 <- as.vector(x %*% b2)
  s1 <- bin_variances(y - m1, g1, assigned, bins)
  s2 <- bin_variances(y - m2, g1, assigned, bins)
  p <- c(mean(g1), mean(g2))
  theta <- c(p, b1, s1, b2, s2)
  iterations <- 0
  change <- 1e6
  while (change > settings$threshold && iterations < 100) {
    l1 <- p[1] * dnorm(y, m1, sqrt(s1[assigned]))
    l2 <- p[2] * dnorm(y, m2, sqrt(s2[assigned]))
    g1 <- l1 / (l1 + l2)
    g2 <- 1 - g1
    p <- c(mean(g1), mean(g2))
    b1 <- weighted_fit(x, y, g1 / s1[assigned])
    m1 <- as.vector(x %*% b1)
    assigned <- assign_bins(m1, bins, settings$seed_step)
    b2 <- weighted_fit(x, y, g2 / s2[assigned])
    m2 <- as.vector(x %*% b2)
    s1 <- bin_variances(y - m1, g1, assigned, bins)
    s2 <- bin_variances(y - m2, g2, assigned, bins)
    new <- c(p, b1, s1, b2, s2)
    change <- max(abs(new - theta) / theta)
    theta <- new
    iterations <- iterations + 1
  }
  list(p = p, b1 = b1, s1 = s1, b2 = b2, s2 = s2, iterations = iterations)
}

standardize <- function(residuals, predicted, block) {
  n <- length(residuals)
  ranked <- order(predicted)
  result <- rep(0, n)
  for (i in seq_len(floor(n / block))) {
    rows <- ranked[(block * i):min(block * i + block, n)]
    result[rows] <- residuals[rows] / sqrt(mean(residuals[rows]^2))
  }
  result
}

scan_log2 <- function(y, sequences, settings, with_upc = FALSE) {
  if (!is.null(settings$noise_seed)) {
    set.seed(settings$noise_seed)
    y <- y + rnorm(length(y)) / 1e7
  }
  n <- length(y)
  x <- design_matrix(sequences, settings$count_base)
  rows <- seq(1, n, max(1, floor(n / settings$sample_goal)))
  fit <- fit_mixture(x[rows, ], y[rows], settings)
  m1 <- as.vector(x %*% fit$b1)
  values <- round(standardize(y - m1, m1, settings$block), 8)
  upc <- NULL
  if (with_upc) {
    assigned <- assign_bins(m1, settings$bins, settings$seed_step)
    l1 <- fit$p[1] * dnorm(y, m1, sqrt(fit$s1[assigned]))
    l2 <- fit$p[2] * dnorm(y, as.vector(x %*% fit$b2), sqrt(fit$s2[assigned]))
    upc <- round(1 - l1 / (l1 + l2), 8)
  }
  list(values = values, upc = upc, iterations = fit$iterations)
}

scan_cells <- function(intensities, sequences, settings, with_upc = FALSE) {
  if (min(intensities) == 0) intensities <- intensities + 1
  scan_log2(log2(intensities), sequences, settings, with_upc)
}

summarize_sets <- function(values, sets) round(tapply(values, sets, mean, trim = 0.1), 8)

scan_two_color <- function(red, green) {
  z <- cbind(log2(red), log2(green))
  centered <- sweep(z, 2, colMeans(z))
  parts <- eigen(cov(z))
  root <- parts$vectors %*% diag(sqrt(parts$values)) %*% t(parts$vectors)
  centered %*% t(solve(root))
}

fast <- list(count_base = 25, sample_goal = 10000, threshold = 0.5, bins = 25, block = 5000, seed_step = 1)
