"""Datasets: what a user asks for, the matrices made of it, and the bundle that is delivered."""
