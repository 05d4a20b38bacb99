"""Wrappers of a whole optimizer: averages and copies of the parameters, gradients elsewhere."""
