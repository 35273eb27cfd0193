"""Numeric kernels: arrays in, arrays out. No files, no clock, no logging, no storage."""
