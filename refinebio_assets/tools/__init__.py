"""External programs, each behind one typed function: what goes in, what came out, what it printed."""
