"""Convert optimizers and their states from torch, Keras and Optax, and back."""
