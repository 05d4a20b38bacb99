"""Stand-ins for the loggers that docs/how-to.md imports, which no environment has.

The signatures are those of `tensorboardX.SummaryWriter`, which torch's has too, and of `wandb.Run`.
"""

import contextlib


class SummaryWriter:
    """A writer of scalars for TensorBoard."""

    def __init__(self, logdir=None, comment=""):
        assert isinstance(logdir, str)

    def add_scalar(self, tag, scalar_value, global_step=None, walltime=None):
        assert isinstance(tag, str) and isinstance(scalar_value, int | float)
        assert isinstance(global_step, int)

    def flush(self):
        pass


class Run:
    """A run of Weights & Biases."""

    def log(self, data, step=None, commit=None):
        assert data and all(isinstance(name, str) for name in data)
        assert isinstance(step, int) and isinstance(commit, bool | None)


@contextlib.contextmanager
def init(entity=None, project=None):
    """Begin a run."""
    yield Run()
