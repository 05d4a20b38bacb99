"""Runnable examples: Flax NNX models trained with adamjax on real data."""
