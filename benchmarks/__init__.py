"""Slow science, one file a benchmark: `python -m benchmarks NAME [--quick] [--json]`."""
