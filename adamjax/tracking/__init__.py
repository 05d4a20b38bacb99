"""What training did: metrics measured inside jit, a recorder and plots on the host."""

from adamjax.tracking.metrics import TrackState as TrackState, metrics as metrics, track as track
from adamjax.tracking.plots import plot_metrics as plot_metrics, plot_schedules as plot_schedules
from adamjax.tracking.recorder import Recorder as Recorder
