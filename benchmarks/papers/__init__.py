"""What papers claim, run again at a size for two cores: `python -m benchmarks.papers`."""
