"""Tests of the tables of non-normalized BeadArray intensities."""
