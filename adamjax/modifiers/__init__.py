"""Small changes to any transformation: of its gradients, in front of it, or of its directions.

What looks at the direction and the gradient alike wraps a transformation, `cautious(inner)`; what
looks at one of them stands in an `optax.chain`, before or behind it.
"""
