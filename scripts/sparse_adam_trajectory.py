"""Records tests/wrappers/sparse_adam.npz: torch.optim.SparseAdam on an embedding, in float64.

    pip install torch==2.13.0 numpy && python scripts/sparse_adam_trajectory.py

The file is like those of tests/trajectories, but its entry describes the Adam inside of
`adamjax.lazy_rows`. Gradients do not depend on the parameters. torch does not get rows of zeros.
"""

import json
from pathlib import Path

import numpy as np
import torch

FILE = Path(__file__).parent.parent / "tests" / "wrappers" / "sparse_adam.npz"
STEPS, ROWS, COLUMNS = 12, 8, 4
SETTINGS = {"lr": 1e-2, "b1": 0.9, "b2": 0.99, "eps": 1e-3}
FORM = {"eps_mode": "hat", "bias_correction": True, "weight_decay": 0.0, "decay": "none"}


def touched(rng: np.random.Generator) -> np.ndarray:
    """Which rows have a gradient, by step: the first never, the last always but for one step."""
    on = rng.random((STEPS, ROWS)) < 0.3
    on[:, 0], on[:, -1] = False, True
    on[:-2, 1] = False  # first seen late
    on[4] = False  # a step that no row is in, and that counts
    return on


def trajectory() -> dict[str, np.ndarray]:
    """The parameters before and after each step, and the gradients."""
    rng = np.random.default_rng(0)
    on, scale = touched(rng), np.exp(rng.normal(size=(ROWS, COLUMNS)))
    grads = 0.3 * scale * rng.normal(size=(STEPS, ROWS, COLUMNS)) * on[..., None]
    param = torch.nn.Parameter(torch.tensor(0.5 * rng.normal(size=(ROWS, COLUMNS))))
    betas = SETTINGS["b1"], SETTINGS["b2"]
    optimizer = torch.optim.SparseAdam([param], lr=SETTINGS["lr"], betas=betas, eps=SETTINGS["eps"])
    path = [param.detach().numpy().copy()]
    for rows, grad in zip(on, grads, strict=True):
        indices = torch.tensor(np.flatnonzero(rows)[None])
        values = torch.tensor(grad[rows])
        param.grad = torch.sparse_coo_tensor(indices, values, param.shape, check_invariants=True)
        optimizer.step()
        path.append(param.detach().numpy().copy())
    return {"params_embedding": np.stack(path), "grads_embedding": grads}


def main() -> None:
    meta = {
        "variant": "adam_sparse",
        "oracle": "torch.optim.SparseAdam",
        "oracle_version": torch.__version__.partition("+")[0],
        "dtype": "float64",
        "steps": STEPS,
        "leaves": ["embedding"],
        "hyperparameters": SETTINGS | FORM,
        "tolerance": 1e-12,
    }
    np.savez_compressed(FILE, meta=np.array(json.dumps(meta)), **trajectory())
    print(f"written: {FILE}")


if __name__ == "__main__":
    main()
