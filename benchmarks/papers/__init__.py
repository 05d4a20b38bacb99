"""Claims of papers, reproduced at a size for two cores: `python -m benchmarks.papers`."""
