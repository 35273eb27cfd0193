"""Where experiments come from: each module turns one kind of source into domain objects."""
