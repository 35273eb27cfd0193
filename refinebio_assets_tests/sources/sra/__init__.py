"""Tests of the SRA room."""
