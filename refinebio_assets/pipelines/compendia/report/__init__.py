"""The report of a compendium: ``page`` says it, ``plots`` draws it. Numbers are found elsewhere."""
