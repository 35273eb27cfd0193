"""Tests of the readers of probe tables and array layouts."""
