"""Runs of torch that go on here, and runs from here that go on in torch."""

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
from tests.interop.documents import blocks

ADVERSARIAL = {"eps": 1e-3, "weight_decay": 0.1}
DECOUPLED = {"decoupled_weight_decay": True}
CASES = {
    "adam": ("Adam", ADVERSARIAL),
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
    "sgd-momentum": ("SGD", {"lr": 1e-2, "weight_decay": 0.1, "momentum": 0.9}),
    "sgd-nesterov": ("SGD", {"lr": 1e-2, "momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", ADVERSARIAL),
    "rmsprop-centered": ("RMSprop", {**ADVERSARIAL, "centered": True, "alpha": 0.9}),
    "rmsprop-all": ("RMSprop", {**ADVERSARIAL, "lr": 1e-3, "centered": True, "momentum": 0.9}),
    "adagrad": ("Adagrad", {**ADVERSARIAL, "lr_decay": 0.1, "initial_accumulator_value": 0.1}),
    "adadelta": ("Adadelta", {"eps": 1e-3, "weight_decay": 0.1}),
    "adafactor": ("Adafactor", {"weight_decay": 0.1, "eps": (3e-2, 0.2)}),
    "adafactor-plain": ("Adafactor", {"d": 2.0, "beta2_decay": -0.5, "lr": 0.1}),
}
IDS = list(CASES)


def weights_of(name):
    return trainings.MATRICES if name == "Adafactor" else trainings.WEIGHTS


class Run:
    """Parameters of torch with their optimizer, fed the gradients of `trainings`."""

    def __init__(self, name, arguments, groups=None, arrays=None):
        arrays = trainings.start(weights_of(name)) if arrays is None else arrays
        self.params = [torch.nn.Parameter(torch.from_numpy(np.array(a))) for a in arrays]
        groups = groups or [(range(len(arrays)), {})]
        self.optimizer = getattr(torch.optim, name)(
            [{"params": [self.params[i] for i in which], **own} for which, own in groups],
            **arguments,
        )

    def steps(self, first, count, frozen=()):
        path = []
        for t in range(first, first + count):
            for i, p in enumerate(self.params):
                p.grad = None
                if i not in frozen:
                    p.grad = torch.from_numpy(
                        np.array(trainings.gradient(p.detach().numpy(), t, i))
                    )
            self.optimizer.step()
            path.append(self.arrays())
        return path

    def arrays(self):
        return [p.detach().numpy().copy() for p in self.params]

    def state(self):
        return copy.deepcopy(self.optimizer.state_dict())


def equal(state, other):
    """Whether two state dicts of torch are the same bit by bit."""
    assert state["state"].keys() == other["state"].keys()
    for i, entry in state["state"].items():
        twin = {k: v for k, v in other["state"][i].items() if v is not None}
        assert entry.keys() == twin.keys()
        for key, value in entry.items():
            if key == "mu_product":  # 1 - P is kept
                torch.testing.assert_close(value, twin[key], rtol=0, atol=6e-8)
            else:
                assert torch.equal(value, twin[key]), (i, key)
                assert value.dtype == twin[key].dtype
    return True


@pytest.mark.parametrize("case", IDS)
def test_goes_on_here_and_back(case, record_property):
    name, arguments = CASES[case]
    weights = weights_of(name)
    names = trainings.names_of(weights)
    run = Run(name, arguments)
    run.steps(0, trainings.BEFORE)
    before = run.state()
    params = trainings.here(weights, run.arrays())
    tx, state = from_torch(name, before, params, names)
    assert equal(to_torch(name, state, params, names, before["param_groups"]), before)

    path, params, state = trainings.go_on(
        weights, tx, state, params, trainings.BEFORE, trainings.AFTER
    )
    off = trainings.deviation(run.steps(trainings.BEFORE, trainings.AFTER), path)
    record_property("deviation", off)
    assert off <= 2e-6

    # And back: torch goes on from the state here.
    after = to_torch(name, state, params, names, before["param_groups"])
    back = Run(name, arguments, arrays=list(trainings.leaves_there(weights, params)))
    back.optimizer.load_state_dict(after)
    there = back.steps(trainings.BEFORE + trainings.AFTER, 20)
    path, _, _ = trainings.go_on(weights, tx, state, params, trainings.BEFORE + trainings.AFTER, 20)
    assert trainings.deviation(there, path) <= 2e-6


def test_every_optimizer_is_continued():
    assert {name for name, _ in CASES.values()} == set(tables.TORCH)


GROUPS = {
    "Adam": [({0, 3}, {"lr": 1e-2, "eps": 1e-3}), ({1, 2, 4, 5}, {"weight_decay": 0.3})],
    "AdamW": [({4, 0}, {"weight_decay": 0.0}), ({1, 2, 3, 5}, {"amsgrad": True, "lr": 1e-2})],
    "NAdam": [({1, 3}, {"betas": (0.8, 0.99)}), ({0, 2, 4, 5}, {"maximize": True})],
    "SGD": [({2, 1}, {"momentum": 0.9}), ({0, 3, 4, 5}, {})],
    "RMSprop": [({2, 1}, {"momentum": 0.9, "lr": 1e-3}), ({0, 3, 4, 5}, {"centered": True})],
}


def grouped(name):
    """Groups, and the weights in torch's order: that of the groups."""
    groups = [(sorted(which), own) for which, own in GROUPS[name]]
    order = [i for which, _ in groups for i in which]
    paths = list(trainings.WEIGHTS)
    weights = {paths[i]: trainings.WEIGHTS[paths[i]] for i in order}
    counts = np.cumsum([0] + [len(which) for which, _ in groups]).tolist()
    spans = [range(a, b) for a, b in itertools.pairwise(counts)]
    return weights, [(span, own) for span, (_, own) in zip(spans, groups, strict=True)]


@pytest.mark.parametrize("name", GROUPS)
def test_groups_and_frozen_parameters(name):
    weights, groups = grouped(name)
    names = trainings.names_of(weights)
    run = Run(name, {}, groups, trainings.start(weights))
    run.steps(0, 3, frozen={0})  # steps behind the others
    run.steps(3, 4, frozen={0, 3} if name != "SGD" else {0})
    before = run.state()
    params = trainings.here(weights, run.arrays())
    tx, state = from_torch(name, before, params, names)
    assert len(state.inner_states) == {"SGD": 2}.get(name, 4)
    there = to_torch(name, state, params, names, before["param_groups"])
    assert equal(there, before)
    path, params, state = trainings.go_on(weights, tx, state, params, 7, trainings.AFTER)
    assert trainings.deviation(run.steps(7, trainings.AFTER), path) <= 2e-6
    back = Run(name, {}, groups, list(trainings.leaves_there(weights, params)))
    back.optimizer.load_state_dict(to_torch(name, state, params, names, before["param_groups"]))
    path, _, _ = trainings.go_on(weights, tx, state, params, 57, 20)
    assert trainings.deviation(back.steps(57, 20), path) <= 2e-6


def test_groups_alike_are_one_group():
    run = Run("AdamW", {}, [(range(2), {}), (range(2, 6), {"lr": 1e-3})])
    run.steps(0, 2)
    params = trainings.here(trainings.WEIGHTS, run.arrays())
    _, state = from_torch("AdamW", run.state(), params, trainings.names_of(trainings.WEIGHTS))
    assert isinstance(state, tuple)
    assert type(state) is type(adamjax.adamw().init(params))


def test_learning_rate_follows_a_scheduler():
    """A schedule here goes on where torch's scheduler stood."""
    run = Run("AdamW", {"lr": 1e-2})
    scheduler = torch.optim.lr_scheduler.LambdaLR(run.optimizer, lambda count: 1 / (1 + count))

    def steps(first, count):
        path = []
        for t in range(first, first + count):
            path += run.steps(t, 1)
            scheduler.step()
        return path

    steps(0, 7)
    params = trainings.here(trainings.WEIGHTS, run.arrays())
    names = trainings.names_of(trainings.WEIGHTS)
    tx, state = from_torch(
        "AdamW", run.state(), params, names, learning_rate=lambda count: 1e-2 / (1.0 + count)
    )
    path, _, _ = trainings.go_on(trainings.WEIGHTS, tx, state, params, 7, 50)
    assert trainings.deviation(steps(7, 50), path) <= 2e-6
    # A rate of its own, once and for all.
    tx, _ = from_torch("AdamW", run.state(), params, names, learning_rate=0.5)
    updates, _ = tx.update(params, tx.init(params), params)
    assert abs(updates["scale"]) > 0.4


def scheduler(kind, optimizer):
    schedulers = torch.optim.lr_scheduler
    if kind == "OneCycleLR":
        return schedulers.OneCycleLR(optimizer, max_lr=1e-2, total_steps=20)
    if kind == "CyclicLR":
        return schedulers.CyclicLR(optimizer, 1e-3, 1e-2, step_size_up=5)
    return torch.optim.swa_utils.SWALR(optimizer, swa_lr=1e-3)


@pytest.mark.parametrize("kind", ["OneCycleLR", "CyclicLR", "SWALR"])
def test_what_schedulers_leave_in_the_groups(kind):
    run = Run("AdamW", {"lr": 1e-2})
    moving = scheduler(kind, run.optimizer)
    for t in range(3):
        run.steps(t, 1)
        moving.step()
    params = trainings.here(trainings.WEIGHTS, run.arrays())
    names = trainings.names_of(trainings.WEIGHTS)
    before = run.state()
    tx, state = from_torch("AdamW", before, params, names)
    assert equal(to_torch("AdamW", state, params, names, before["param_groups"]), before)
    path, _, _ = trainings.go_on(trainings.WEIGHTS, tx, state, params, 3, 5)
    assert trainings.deviation(run.steps(3, 5), path) <= 2e-6


@pytest.mark.parametrize("tensor", [torch.ones(3, 5).to_sparse(), torch.ones(3, 5, device="meta")])
def test_tensors_without_an_array(tensor):
    run = Run("AdamW", {})
    run.steps(0, 1)
    there = run.state()
    there["state"][0]["exp_avg"] = tensor
    params = trainings.here(trainings.WEIGHTS, run.arrays())
    with pytest.raises(ValueError, match="exp_avg of 'head/kernel' must be a dense array"):
        from_torch("AdamW", there, params, trainings.names_of(trainings.WEIGHTS))


def test_bfloat16_states_are_widened():
    run = Run("AdamW", {})
    run.steps(0, 3)
    there = run.state()
    for entry in there["state"].values():
        entry["exp_avg"] = entry["exp_avg"].bfloat16()
    params = trainings.here(trainings.WEIGHTS, run.arrays())
    _, state = from_torch("AdamW", there, params, trainings.names_of(trainings.WEIGHTS))
    assert state[0].mu["scale"].dtype == jnp.float32
    assert state[0].mu["scale"] == there["state"][4]["exp_avg"].float().item()


def test_document(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("", "torch"), "docs/interop.md", "exec"), {})
