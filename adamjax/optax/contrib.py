"""`optax.contrib` with low-precision optimizer state, see `adamjax.optax`."""

from typing import Any

import optax.contrib as _contrib

from adamjax.interop.optax_arguments import drop_ins

globals().update(drop_ins(_contrib, __name__))


def __getattr__(name: str) -> Any:
    return getattr(_contrib, name)


def __dir__() -> list[str]:
    return sorted({*dir(_contrib), *globals()})
