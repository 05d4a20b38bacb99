"""From the optimizers of torch, Keras and Optax to those of this library, and back."""
