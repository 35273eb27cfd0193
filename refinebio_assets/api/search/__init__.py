"""How experiments are found: by words, by filters, in which order, and how their samples are counted."""
