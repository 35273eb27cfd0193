"""``/v1``: what existing clients ask for, one module a kind of object."""
