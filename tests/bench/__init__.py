"""Benchmarks: one file each, found by itself; `python -m tests.bench` prints the table."""
