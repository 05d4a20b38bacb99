"""Optimizer state sharded over devices, or in the host's memory."""

from adamjax.sharding.placements import (
    Placement as Placement,
    placements as placements,
    table as table,
)
from adamjax.sharding.sharded import sharded as sharded
from adamjax.sharding.specs import state_shardings as state_shardings
