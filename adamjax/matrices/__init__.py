"""Matrices: which axes of a leaf form them, and their polar factor."""
