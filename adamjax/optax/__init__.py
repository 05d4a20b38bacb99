"""Optax with low-precision optimizer state: `import adamjax.optax as optax`.

The optimizers that Optax and adamjax share have Optax's arguments, defaults and steps, and in
addition `storage=` and `param_rounding=`. Their arithmetic is float32 for parameters of every
dtype. All other names are Optax's own objects.
"""

from typing import Any

import optax as _optax

from adamjax.interop.optax_arguments import drop_ins
from adamjax.optax import contrib as contrib

globals().update(drop_ins(_optax, __name__))


def __getattr__(name: str) -> Any:
    return getattr(_optax, name)


def __dir__() -> list[str]:
    return sorted({*dir(_optax), *globals()})
