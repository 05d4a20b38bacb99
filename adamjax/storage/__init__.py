"""Low-precision optimizer state, and rounding of low-precision parameters."""
