"""Tests of the CEL readers."""
