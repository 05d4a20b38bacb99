# %% [markdown]
# # Rare words, and carbon dioxide by the month
#
# Two tasks that have little to do with pictures or text models. In the first, most features are
# absent from most examples, the case for which AdaGrad and Adam were made. In the second, a small
# recurrent network forecasts a series.

# %%
from argparse import Namespace

import numpy as np
from flax import nnx

import adamjax
from examples import data, loop, pictures, sparse_logistic, timeseries_rnn

# %% [markdown]
# ## Rare words
#
# 4,000 reviews of food, each as the set of its words and pairs of words out of 10,000. Half of all
# features are in ten reviews or fewer: their weights get a gradient now and then.

# %%
reviews = sparse_logistic.bags_of_features(data.reviews())
bags, _ = reviews.train
counts = np.bincount(bags[bags != sparse_logistic.PADDING], minlength=sparse_logistic.VOCABULARY)
print(f"half of the features are in at most {np.median(counts):.0f} of {len(bags):,} reviews")

figure, panels = pictures.axes([["counts"]], (7, 3))
panels["counts"].plot(np.sort(counts)[::-1], color=pictures.COLORS[0])
panels["counts"].set(xlabel="feature, by how frequent it is", ylabel="reviews that have it")
panels["counts"].set(xscale="log", yscale="log")
figure

# %% [markdown]
# A logistic regression with each of four optimizers, at several learning rates at once.

# %%
rates = [sparse_logistic.Rate(first, 0.0) for first in (0.01, 0.1, 1.0, 10.0)]
options = Namespace(seed=0, batch_size=128, epochs=8)
trials = {
    name: sparse_logistic.train(direction(), rates, reviews, options, advance=lambda text: None)
    for name, direction in sparse_logistic.OPTIMIZERS.items()
}
figure, panels = pictures.axes([["best", "rates"]], (11, 3.8))
for color, (name, trial) in zip(pictures.COLORS, trials.items(), strict=False):
    label = f"{name}, learning rate {rates[trial.best]}"
    panels["best"].plot(range(1, 9), trial.losses[:, trial.best], color=color, label=label)
    first = [rate.first for rate in rates]
    panels["rates"].plot(first, trial.losses[-1], color=color, marker="o", markersize=3)
panels["best"].set(xlabel="epoch", ylabel="training loss [nats]")
panels["best"].legend(frameon=False)
panels["rates"].set(xlabel="learning rate", ylabel="loss of the last epoch [nats]", xscale="log")
pictures.logarithmic(panels["rates"].yaxis)
figure

# %% [markdown]
# ## Carbon dioxide
#
# The observatory on Mauna Loa measures it month by month. A GRU reads the changes and predicts the
# next one. It must beat two forecasts that need no learning: the value of a year ago, and the last
# value plus last year's change.

# %%
series = data.co2()
changes = np.diff(series.values)
known = changes[: -timeseries_rnn.HELD_OUT]
scaled = (changes - known.mean()) / known.std()
trainer = loop.Trainer(
    timeseries_rnn.Forecaster(nnx.Rngs(0)),
    adamjax.adam(1e-3),
    timeseries_rnn.loss,
    timeseries_rnn.windows(scaled[: -timeseries_rnn.HELD_OUT]),
    batch_size=32,
)
for _ in range(60):
    trainer.epoch()

months, truth = (part[-timeseries_rnn.HELD_OUT :] for part in (series.months, series.values))
before = series.values[-timeseries_rnn.HELD_OUT - 1 : -1]
told = loop.predict(trainer.model, scaled[None, :-1, None])[0, -timeseries_rnn.HELD_OUT :, 0]
forecasts = {
    "recurrent network": before + told * known.std() + known.mean(),
    **timeseries_rnn.naive_forecasts(series.values),
}
errors = {name: float(np.abs(forecast - truth).mean()) for name, forecast in forecasts.items()}

figure, panels = pictures.axes([["all", "late"]], (11, 3.8), width_ratios=(1, 1.4))
panels["all"].plot(series.months, series.values, color=pictures.COLORS[0], linewidth=0.8)
panels["all"].set(ylabel="CO₂ [ppm]", title="measured")
panels["late"].plot(months, truth, color="black", linewidth=4, alpha=0.25, label="measured")
for color, (name, forecast) in zip(pictures.COLORS, forecasts.items(), strict=False):
    label = f"{name}: off by {errors[name]:.2f} ppm"
    panels["late"].plot(months, forecast, color=color, linewidth=1, label=label)
panels["late"].set(title="the ten held-out years")
panels["late"].legend(frameon=False, fontsize="small")
figure

# %% [markdown]
# ## In numbers

# %%
final = {name: float(trial.losses[-1, trial.best]) for name, trial in trials.items()}
assert max(final["Adam"], final["AdaGrad"]) < final["Nesterov SGD"], final
network, *naive = errors.values()
assert network < min(naive), errors
