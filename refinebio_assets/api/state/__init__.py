"""What clients leave with the API: tokens, and datasets in the making."""
