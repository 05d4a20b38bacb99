"""Iterations on matrices, the last two axes of an array."""
