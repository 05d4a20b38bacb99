"""The next month's carbon dioxide over Mauna Loa, with a recurrent network.

A GRU reads the changes from month to month and tells the next one. The last ten years are held
out: each of their months is forecast from the months before it. The mean absolute error must be
below that of the seasonal-naive forecasts: the value of a year ago, and, harder to beat, the last
value plus last year's change. Forecast skill is 1 - error / error of the better one.

Learning rate and epochs were chosen on the ten years before the held-out ones.
"""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from flax import nnx

from examples import console, data, loop, pictures

YEAR = 12
HELD_OUT = 10 * YEAR
WINDOW = 4 * YEAR
WARM_UP = YEAR


class Forecaster(nnx.Module):
    """Changes [batch, time, 1] in, the change after each [batch, time, 1] out."""

    def __init__(self, rngs: nnx.Rngs):
        self.memory = nnx.RNN(nnx.GRUCell(1, 32, rngs=rngs))
        self.output = nnx.Linear(32, 1, rngs=rngs)

    def __call__(self, changes: jax.Array) -> jax.Array:
        return self.output(self.memory(changes))


def loss(model: Forecaster, changes: jax.Array, following: jax.Array) -> jax.Array:
    """Mean squared error, after a year in which the network sees the season."""
    error = model(changes) - following
    return (error[:, WARM_UP:] ** 2).mean()


def windows(changes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every window of the series and the window one month later, both [count, WINDOW, 1]."""
    stretches = np.lib.stride_tricks.sliding_window_view(changes, WINDOW + 1)[..., None]
    return stretches[:, :-1], stretches[:, 1:]


def naive_forecasts(values: np.ndarray) -> dict[str, np.ndarray]:
    """Forecasts of the held-out months that need no learning."""
    year_ago = values[-HELD_OUT - YEAR : -YEAR]
    change = year_ago - values[-HELD_OUT - YEAR - 1 : -YEAR - 1]
    return {
        "seasonal naive": year_ago,
        "seasonal naive with trend": values[-HELD_OUT - 1 : -1] + change,
    }


def draw(file: Path, series: data.Series, forecasts: dict[str, np.ndarray]) -> None:
    """Forecasts and truth, and below them the errors."""
    figure, panels = pictures.axes(
        [["top"], ["bottom"]], (9, 6.5), sharex=True, height_ratios=(2, 1)
    )
    top, bottom = panels.values()
    months, truth = series.months[-HELD_OUT:], series.values[-HELD_OUT:]
    top.plot(months, truth, color="black", linewidth=3, alpha=0.3, label="measured")
    for color, (name, forecast) in zip(pictures.COLORS, forecasts.items(), strict=False):
        error = forecast - truth
        label = f"{name}: mean absolute error {np.abs(error).mean():.2f} ppm"
        top.plot(months, forecast, color=color, linewidth=1.2, label=label)
        bottom.plot(months, error, color=color, linewidth=1.2)
    top.set(ylabel="CO₂ [ppm]", title="Next month's carbon dioxide over Mauna Loa, held-out years")
    top.legend(frameon=False)
    bottom.set(ylabel="forecast − measured [ppm]", xlabel="year")
    pictures.save(figure, file)


def run(options: Namespace) -> console.Outcome:
    series = data.co2()
    changes = np.diff(series.values)
    known = changes[:-HELD_OUT]
    centre, scale = known.mean(), known.std()
    scaled = (changes - centre) / scale
    trainer = loop.Trainer(
        Forecaster(nnx.Rngs(options.seed)),
        console.optimizer(options),
        loss,
        windows(scaled[:-HELD_OUT]),
        batch_size=options.batch_size,
        seed=options.seed,
    )
    truth = series.values[-HELD_OUT:]

    def forecast(model: Forecaster) -> np.ndarray:
        next_change = loop.predict(model, scaled[None, :-1, None])[0, -HELD_OUT:, 0]
        return series.values[-HELD_OUT - 1 : -1] + next_change * scale + centre

    def error(prediction: np.ndarray) -> float:
        return float(np.abs(prediction - truth).mean())

    loop.fit(trainer, options.epochs, lambda model: error(forecast(model)))
    forecasts = {"recurrent network": forecast(trainer.model), **naive_forecasts(series.values)}
    draw(options.runs / "timeseries_rnn.png", series, forecasts)
    errors = {name: error(prediction) for name, prediction in forecasts.items()}
    network, *naive = errors.values()
    skill = 1 - network / min(naive)
    details = {"mean absolute error [ppm]": errors}
    return console.Outcome("forecast skill", skill, 0.0, series.name, details)


def main(argv: Sequence[str] | None = None) -> None:
    parser = console.parser("timeseries_rnn", __doc__, epochs=60, batch_size=32, learning_rate=1e-3)
    console.main(run, parser, argv)


if __name__ == "__main__":
    main()
