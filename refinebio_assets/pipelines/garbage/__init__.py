"""Removing old versions on purpose: what may go, and that it went. Nothing else ever removes a version."""
