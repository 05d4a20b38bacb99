"""Monitoring: metrics measured inside jit, a recorder and plots on the host."""

from adamjax.tracking.layers import Spike as Spike, find_spikes as find_spikes
from adamjax.tracking.matrices import matrix_metrics as matrix_metrics
from adamjax.tracking.metrics import TrackState as TrackState, metrics as metrics, track as track
from adamjax.tracking.plots import (
    plot_layers as plot_layers,
    plot_metrics as plot_metrics,
    plot_schedules as plot_schedules,
)
from adamjax.tracking.recorder import Recorder as Recorder
