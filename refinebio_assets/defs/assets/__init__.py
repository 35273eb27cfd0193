"""Assets, one module a group. Each takes its partition key, calls one use case, and reports."""
