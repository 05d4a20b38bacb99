"""Wrappers of a whole optimizer: averages, copies and norms of the parameters."""
