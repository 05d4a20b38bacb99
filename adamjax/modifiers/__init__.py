"""Modifiers of gradients or updates, for any transformation.

A modifier of both wraps a transformation, such as `cautious(inner)`. A modifier of one of them is a
stage of an `optax.chain`, before or after the transformation.
"""
