"""Find the settings of a training run."""
