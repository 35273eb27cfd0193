"""How a dataset's data is judged, and how it becomes a request in the lake."""
