"""Measurements that anyone can run: `python -m benchmarks.<name>`, results in `results/`."""
