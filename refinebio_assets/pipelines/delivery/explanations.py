"""What readers of any delivery have to know of its values."""

NOT_BATCH_CORRECTED = (
    "Quantile normalization gives samples one distribution; it does not remove batch effects. Look at the "
    "principal components before samples of different experiments, platforms or technologies are compared."
)
