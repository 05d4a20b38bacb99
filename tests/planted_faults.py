"""Faults planted in the library one at a time: which tier of the suite notices each?

    python -m tests.planted_faults [AREA ...] [--tier quick|wide|exhaustive]

Each fault first meets the tests that are most likely to notice it, and then the whole tier. The
exit status is 1 if one survives.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = (
    *("--ignore-glob=tests/interop/test_with_*.py", "--ignore=tests/site"),
    "--ignore=tests/notebooks/test_in_jupyter.py",
)


class Fault(NamedTuple):
    """One change to a file of the library, and the tests that meet it first."""

    area: str
    file: str
    old: str
    new: str
    first: tuple[str, ...]


def _variant(name: str, old: str, new: str) -> Fault:
    first = ("tests/test_trajectories.py", "tests/test_oracles.py", "-k", name)
    return Fault("rules", f"variants/{name}.py", old, new, first)


def _moments(old: str, new: str) -> Fault:
    families = "moments or adam or adafactor or lamb"
    first = ("adamjax/moments.py", "tests/test_trajectories.py", "-k", families)
    return Fault("moments", "moments.py", old, new, first)


def _core(file: str, old: str, new: str) -> Fault:
    first = (f"adamjax/{file}", "tests/test_laws_of_settings.py", "tests/test_conformance.py")
    return Fault("core", file, old, new, first)


def _storage(file: str, old: str, new: str) -> Fault:
    first = (f"adamjax/storage/{file}", "tests/storage")
    return Fault("storage", f"storage/{file}", old, new, first)


def _part(file: str, old: str, new: str) -> Fault:
    folder = file.partition("/")[0]
    first = (f"adamjax/{file}", f"tests/{folder}", *ELSEWHERE)
    return Fault("parts", file, old, new, first)


FAULTS = (
    # Rules.
    _variant("adam", "moments.nu), moments.nu, step.b2)", "moments.nu), moments.nu, step.b1)"),
    _variant("lion", "mu=ema(g, moments.mu, step.b2)", "mu=ema(g, moments.mu, step.b1)"),
    _variant("adamax", "modulus(g, moments.nu) + in_gradient", "g + in_gradient"),
    _variant("adan", "ZERO, g - moments.last)", "0, g + moments.last)"),
    _variant("adopt", "jnp.maximum(root(moments.nu), step.eps)", "root(moments.nu)"),
    _variant("amsgrad", "jnp.maximum(moments.nu_max, square)", "square"),
    _variant("radam", "1 / jnp.expm1(large) - 1 / large + 0.5", "1 / jnp.expm1(large) - 1 / large"),
    _variant("rmsprop", "ema(g, moments.mean, step.b2)", "ema(g * g, moments.mean, step.b2)"),
    _variant("adabelief", "moments.nu, step.b2) + step.added", "moments.nu, step.b2)"),
    _variant("yogi", "jnp.sign(square - moments.nu) * square", "(square - moments.nu)"),
    _variant("adashift", "step.count - window, 1)", "step.count, 1)"),
    _variant("prodigy", "step.d_coef * divide(numerator, length)", "divide(numerator, length)"),
    _variant("came", "mu = ema(r, moments.mu, step.b1)", "mu = ema(g, moments.mu, step.b1)"),
    _variant("adam_mini", "mean(g * g, *averaged)", "mean(g, *averaged) ** 2"),
    _variant("laprop", "return divide(mu, rate)", "return mu"),
    _variant("madgrad", "root(squares, 3) + step.eps", "root(squares) + step.eps"),
    _variant("adai", "step.eps, 1)", "0, 1)"),
    _variant("sophia", "jnp.maximum(step.rho * h, step.eps)", "jnp.maximum(h, step.eps)"),
    _variant("focus", "step.gamma * jnp.sign(gap)", "step.gamma * gap"),
    _variant("stable_adamw", "u / jnp.maximum(1, ratio)", "u"),
    # Moments.
    _moments(
        "return average + beta.one_minus * (x - average)",
        "return average + beta.value * (x - average)",
    ),
    _moments("return average / beta.bias_correction", "return average / beta.one_minus"),
    _moments("nonzero = denominator != ZERO", "nonzero = denominator != 1.0"),
    _moments("maxexp // 2 - 1)", "maxexp - 1)"),
    _moments("root(jnp.mean(jnp.square(x)))", "root(jnp.sum(jnp.square(x)))"),
    _moments("** (1 / order)", "** 0.5"),
    _moments("+ step.eps) / jnp.sqrt(step.b2.bias_correction)", "+ step.eps)"),
    _moments(
        "root(_plus(debias(nu, step.b2), step.eps_root)) + step.eps",
        "root(debias(nu, step.b2)) + step.eps",
    ),
    _moments("jnp.maximum(mean(row, axes[0]), floor)", "mean(row, axes[0])"),
    _moments(
        "jnp.sum(x / count, axes, keepdims=True)", "jnp.sum(x / count, axes, keepdims=True) * 2"
    ),
    # Optimizer and lift.
    _core("optimizer.py", "d + lr * wd * p),", "d + lr * wd * d),"),
    _core(
        "optimizer.py", "lambda d, p, wd, lr: d + wd * p)", "lambda d, p, wd, lr: d + lr * wd * p)"
    ),
    _core("optimizer.py", "/ (1 + lr * wd)", "/ (1 - lr * wd)"),
    _core("optimizer.py", "return g + cast(wd, dtype)", "return g - cast(wd, dtype)"),
    _core("optimizer.py", "else increment(last.step)", "else last.step"),
    _core("optimizer.py", "lr = lr * step_size(", "lr = lr + step_size("),
    _core("rule.py", "_one_minus(values[name]) * (1 - c)", "_one_minus(values[name])"),
    _core("rule.py", "row if on else", "row if not on else"),
    _core("rule.py", "-jnp.expm1(-neg_log * t)", "-jnp.expm1(neg_log * t)"),
    _core("rule.py", "np.promote_types(dtype, np.float32)", "dtype"),
    _core("rule.py", "if size == other else None", "if size != other else None"),
    # Storage.
    _storage("codes.py", "log + 3 * fine)", "log + 2 * fine)"),
    _storage("codes.py", "jnp.floor(place + share)", "jnp.floor(place)"),
    _storage("codes.py", "q * (0.5 * _", "q * (1.0 * _"),
    _storage("codes.py", "(dither >> (32 - dropped))", "(dither >> 32)"),
    _storage("bits.py", "turned + at[k]", "turned"),
    _storage("bits.py", "hash_u32(element_index(shape) + word)", "hash_u32(element_index(shape))"),
    _storage("formats.py", "jnp.sqrt(nu), self.v_bits", "nu, self.v_bits"),
    _storage("store.py", "jnp.size(x) >= min_size", "jnp.size(x) >= 0"),
    _storage("rounding.py", "target = wide + v + _error", "target = wide + v - _error"),
    _storage("roles.py", '"nu_max": "maximum"', '"nu_max": "square"'),
    # Wrappers, sharding, tracking, interop.
    _part("wrappers/lookahead.py", "count % sync_period == 0", "count % sync_period == 1"),
    _part("wrappers/schedule_free.py", "largest**weight_lr_power", "largest"),
    _part("wrappers/averaging.py", "(count - start - 1) % every", "(count - start) % every"),
    _part("wrappers/lazy_rows.py", "else choose(rows, new", "else choose(~rows, new"),
    _part("wrappers/guard.py", "jnp.minimum(norm, limit)", "norm"),
    _part("wrappers/accumulate.py", "(g - m) / count", "(g - m) / (count + 1)"),
    _part("wrappers/reset.py", "~jnp.isfinite(x).all()", "jnp.isfinite(x).all()"),
    _part("sharding/specs.py", "(*axes_of(entries[k]), axis)", "(axis,)"),
    _part("tracking/metrics.py", "divide(norms[1], norms[2])", "divide(norms[2], norms[1])"),
    _part("tracking/rates.py", "divide(rate, jnp.sqrt(v))", "divide(rate, v)"),
    _part(
        "interop/states.py", "jnp.asarray(count, jnp.int32)", "jnp.asarray(count + 1, jnp.int32)"
    ),
    _part(
        "interop/tables.py",
        '"mu": "exp_avg", "nu": "exp_avg_sq"',
        '"mu": "exp_avg_sq", "nu": "exp_avg"',
    ),
)


def plant(fault: Fault, root: Path) -> str:
    """Change the file under a root and return its original text."""
    path = root / "adamjax" / fault.file
    text = path.read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        raise ValueError(f"{fault.file}: {text.count(fault.old)} places have {fault.old!r}")
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    return text


def fails(root: Path, tier: str, arguments: list[str]) -> bool:
    """Whether a test of this tier fails in a copy of the project."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", f"--tier={tier}", *arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode not in (0, 1, 2, 5):  # failures, broken imports, nothing collected
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode in (1, 2)


def survivors(areas: list[str], tier: str) -> list[Fault]:
    """Plant the faults of some areas, print each verdict, and return those that go unnoticed."""
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        ignored = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".cache", "site", "runs")
        shutil.copytree(ROOT, root, ignore=ignored)
        for fault in FAULTS:
            if areas and fault.area not in areas:
                continue
            original = plant(fault, root)
            noticed = fails(root, tier, [*fault.first]) or fails(root, tier, [*ELSEWHERE])
            (root / "adamjax" / fault.file).write_text(original, encoding="utf-8")
            missed += [] if noticed else [fault]
            print(
                "noticed" if noticed else "MISSED ", fault.area, fault.file, fault.new, flush=True
            )
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("areas", nargs="*", metavar="AREA")
    parser.add_argument("--tier", default="quick", choices=("quick", "wide", "exhaustive"))
    arguments = parser.parse_args()
    missed = survivors(arguments.areas, arguments.tier)
    print(f"{len(missed)} missed by the {arguments.tier} tier")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
