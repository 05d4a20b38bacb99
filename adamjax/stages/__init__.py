"""Training steps of models made of stages, with the update inside the backward pass."""
