"""Runs of torch that go on here, and the way back bit by bit."""

import copy
import itertools

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import adamjax
from adamjax.interop import tables
from adamjax.interop.torch import from_torch, to_torch
from tests.interop import trainings
from tests.interop.trainings import NAMES, WEIGHTS

# Adafactor does not factor the same axes of a convolution here.
MATRICES = {path: weight for path, weight in WEIGHTS.items() if path != "conv/kernel"}
WITH_TWO_AXES = {path: WEIGHTS[path] for path in ("head/kernel", "body/kernel")} | {
    "q": ((4, 6), None)
}
ADVERSARIAL = {"eps": 1e-3, "weight_decay": 0.1}
DECOUPLED = {"decoupled_weight_decay": True}
CASES = {
    "adam-decoupled": ("Adam", {**ADVERSARIAL, **DECOUPLED}),
    "adam-amsgrad": ("Adam", {**ADVERSARIAL, "amsgrad": True, "betas": (0.8, 0.9)}),
    "adam-maximize": ("Adam", {**ADVERSARIAL, "maximize": True}),
    "adamw": ("AdamW", ADVERSARIAL),
    "adamw-amsgrad": ("AdamW", {**ADVERSARIAL, "amsgrad": True, "betas": (0.8, 0.9)}),
    "adamw-tensor-lr": ("AdamW", {**ADVERSARIAL, "lr": torch.tensor(3e-3), "foreach": False}),
    "nadam": ("NAdam", ADVERSARIAL),
    "nadam-decoupled": ("NAdam", {**ADVERSARIAL, **DECOUPLED, "momentum_decay": 0.1}),
    "radam": ("RAdam", {**ADVERSARIAL, "betas": (0.9, 0.99)}),
    "radam-decoupled": ("RAdam", {**ADVERSARIAL, **DECOUPLED, "betas": (0.9, 0.9)}),
    "adamax": ("Adamax", ADVERSARIAL),
    "sgd": ("SGD", {"lr": 1e-2, "weight_decay": 0.1}),
    "sgd-nesterov": ("SGD", {"lr": 1e-2, "momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", ADVERSARIAL),
    "rmsprop-all": ("RMSprop", {**ADVERSARIAL, "lr": 1e-3, "centered": True, "momentum": 0.9}),
    "adagrad": ("Adagrad", {**ADVERSARIAL, "lr_decay": 0.1, "initial_accumulator_value": 0.1}),
    "adadelta": ("Adadelta", {"eps": 1e-3, "weight_decay": 0.1}),
    "adafactor": ("Adafactor", {"weight_decay": 0.1, "eps": (3e-2, 0.2)}),
    "adafactor-plain": ("Adafactor", {"d": 2.0, "beta2_decay": -0.5, "lr": 0.1}),
    "muon": ("Muon", {"eps": 1e-3}),
    "muon-rms": (
        "Muon",
        {"adjust_lr_fn": "match_rms_adamw", "nesterov": False, "momentum": 0.8, "lr": 3e-3}
        | {"ns_coefficients": (2.0, -1.5, 0.5), "ns_steps": 3},
    ),
}


class Run:
    """Parameters of torch with their optimizer, fed the gradients of `trainings`."""

    def __init__(self, name, arguments, weights=WEIGHTS, groups=None):
        self.name, self.weights = name, weights
        arrays = trainings.start(weights)
        self.tensors = [torch.nn.Parameter(torch.from_numpy(np.array(a))) for a in arrays]
        groups = groups or [(range(len(arrays)), {})]
        self.optimizer = getattr(torch.optim, name)(
            [{"params": [self.tensors[i] for i in which], **own} for which, own in groups],
            **arguments,
        )

    def train(self, first, steps, frozen=()):
        path = []
        for t in range(first, first + steps):
            for i, p in enumerate(self.tensors):
                gradient = np.array(trainings.gradient(p.detach().numpy(), t, i))
                p.grad = None if i in frozen else torch.from_numpy(gradient)
            self.optimizer.step()
            path.append(self.arrays())
        return path

    def arrays(self):
        return [p.detach().numpy().copy() for p in self.tensors]

    def params(self):
        return trainings.here(self.weights, self.arrays())

    def state(self):
        return copy.deepcopy(self.optimizer.state_dict())

    def names(self):
        paths = self.weights.items()
        return [path if axes is None else (path, axes) for path, (_, axes) in paths]


def assert_equal(state, other):
    """Two state dicts of torch are the same bit by bit."""
    assert state["state"].keys() == other["state"].keys()
    for i, entry in state["state"].items():
        twin = {k: v for k, v in other["state"][i].items() if v is not None}
        assert entry.keys() == twin.keys()
        for key, value in entry.items():
            assert value.dtype == twin[key].dtype
            # 1 - P is kept of the product.
            tolerance = 6e-8 if key == "mu_product" else 0
            torch.testing.assert_close(value, twin[key], rtol=0, atol=tolerance)


def check_goes_on(run, **options):
    """The state is the same there and back, and the next steps are the same here as in torch."""
    before, params = run.state(), run.params()
    tx, state = from_torch(run.name, before, params, run.names(), **options)
    back = to_torch(run.name, state, params, run.names(), before["param_groups"])
    assert_equal(back, before)
    path, _, _ = trainings.train(run.weights, tx, state, params, 7, 50)
    # torch's Muon iterates in bfloat16.
    tolerance = 1e-2 if run.name == "Muon" else 2e-6
    assert trainings.deviation(run.train(7, 50), path) <= tolerance
    return state


@pytest.mark.parametrize("case", CASES)
def test_goes_on_here_and_back(case):
    name, arguments = CASES[case]
    weights = {"Adafactor": MATRICES, "Muon": WITH_TWO_AXES}.get(name, WEIGHTS)
    run = Run(name, arguments, weights)
    run.train(0, 7)
    check_goes_on(run)


def test_every_optimizer_is_continued():
    assert {name for name, _ in CASES.values()} == set(tables.TORCH)


@pytest.mark.parametrize("name", tables.TORCH)
def test_defaults(name):
    settings = getattr(torch.optim, name)([torch.nn.Parameter(torch.ones(1, 1))]).defaults
    common = {} if name == "Muon" else tables.TORCH_COMMON
    for argument, default in {**common, **tables.TORCH[name].defaults}.items():
        assert settings[argument] == default


GROUPS = {
    "AdamW": [({4, 0}, {"weight_decay": 0.0}), ({1, 2, 3, 5}, {"amsgrad": True, "lr": 1e-2})],
    "NAdam": [({1, 3}, {"betas": (0.8, 0.99)}), ({0, 2, 4, 5}, {"maximize": True})],
    "SGD": [({2, 1}, {"momentum": 0.9}), ({0, 3, 4, 5}, {})],
}


@pytest.mark.parametrize("name", GROUPS)
def test_groups_and_frozen_parameters(name):
    order = [i for which, _ in GROUPS[name] for i in sorted(which)]
    weights = {list(WEIGHTS)[i]: list(WEIGHTS.values())[i] for i in order}
    counts = itertools.accumulate((len(which) for which, _ in GROUPS[name]), initial=0)
    spans = [range(a, b) for a, b in itertools.pairwise(counts)]
    groups = [(span, own) for span, (_, own) in zip(spans, GROUPS[name], strict=True)]
    run = Run(name, {}, weights, groups)
    run.train(0, 3, frozen={0})  # steps behind the others
    run.train(3, 4, frozen={0, 3} if name != "SGD" else {0})
    state = check_goes_on(run)
    assert len(state.inner_states) == (2 if name == "SGD" else 4)


def test_groups_alike_are_one_group():
    run = Run("AdamW", {}, groups=[(range(2), {}), (range(2, 6), {"lr": 1e-3})])
    run.train(0, 2)
    _, state = from_torch("AdamW", run.state(), run.params(), NAMES)
    assert type(state) is type(adamjax.adamw().init(run.params()))


def test_learning_rate_follows_a_scheduler():
    """A schedule here goes on where torch's scheduler stood, whose keys are ignored."""
    run = Run("AdamW", {"lr": 1e-2})
    scheduler = torch.optim.lr_scheduler.LambdaLR(run.optimizer, lambda count: 1 / (1 + count))

    def train(first, steps):
        path = []
        for t in range(first, first + steps):
            path += Run.train(run, t, 1)
            scheduler.step()
        return path

    train(0, 7)
    run.train = train
    check_goes_on(run, learning_rate=lambda count: 1e-2 / (1.0 + count))


def test_bfloat16_states_are_widened_and_other_tensors_refused():
    run = Run("AdamW", {})
    run.train(0, 3)
    there = run.state()
    for entry in there["state"].values():
        entry["exp_avg"] = entry["exp_avg"].bfloat16()
    _, state = from_torch("AdamW", there, run.params(), NAMES)
    assert state[0].mu["scale"].dtype == jnp.float32
    assert state[0].mu["scale"] == there["state"][4]["exp_avg"].float().item()
    for tensor in [torch.ones(3, 5).to_sparse(), torch.ones(3, 5, device="meta")]:
        there["state"][0]["exp_avg"] = tensor
        with pytest.raises(ValueError, match="exp_avg of 'head/kernel' must be a dense array"):
            from_torch("AdamW", there, run.params(), NAMES)


def test_document(tmp_path, monkeypatch):
    trainings.run_document(tmp_path, monkeypatch, "", "torch")
