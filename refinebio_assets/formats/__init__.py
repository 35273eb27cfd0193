"""Readers and writers of file formats. They know files and arrays, and nothing of storage or tools."""
