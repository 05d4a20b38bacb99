"""Plant mistakes in the rules, one at a time, and report those that no oracle notices.

    python -m tests.mutation                   all variants
    python -m tests.mutation adam lion         these variants, and the helpers that they use
    python -m tests.mutation --changed [BASE]  the variants that the change against BASE touches

Verdicts are cached in `.cache/mutants.json` by a hash of the rule, the helpers, the oracle and the
settings. Exits with 1 if a mutant survives.
"""

import argparse
import functools
import hashlib
import inspect
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import time
import warnings

import jax
import numpy as np

import adamjax
from tests import ROOT, mistakes
from tests.oracles import ORACLES
from tests.reference import precision
from tests.sandbox import check_mutant, compiled, home

CACHE = ROOT / ".cache" / "mutants.json"
LONGEST = 900  # seconds for a mutant
UNCHANGED = "without a mistake"
LINES = (ROOT / "tests" / "equivalents.txt").read_text(encoding="utf-8").splitlines()
EQUIVALENT = {line for line in LINES if line and not line.startswith("#")}
# Every verdict depends on these.
FOLDERS = ("adamjax", "adamjax/modifiers", "adamjax/storage", "adamjax/wrappers")
SHARED = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py"))] + [
    ROOT / "tests" / f"{name}.py"
    for name in (
        "cases",
        "hessians",
        "adversarial_hparams",
        "mistakes",
        "sandbox",
        "oracles/__init__",
    )
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("variants", nargs="*", metavar="VARIANT")
    parser.add_argument("--changed", nargs="?", const="", metavar="BASE")
    parser.add_argument("--minutes", type=float, default=1e9, help="start no mutant after these")
    arguments = parser.parse_args()
    names = arguments.variants or adamjax.list_variants()
    if arguments.changed is not None:
        names = touched(changed_paths(arguments.changed or default_base()))
    files = sorted({home(name) for name in names})
    checks = [(UNCHANGED, file) for file in files]
    checks += [(m.name, m.module) for m in mistakes.mutants(files) if m.name not in EQUIVALENT]
    # In an order that has nothing to do with the files: a part of it is a sample.
    checks.sort(key=lambda check: hashlib.sha256(repr(check).encode()).digest())
    print(f"{len(checks)} mutants of {len(files)} files", flush=True)
    verdicts = judge(checks, time.time() + 60 * arguments.minutes)
    faults = [check for check, noticed in verdicts.items() if noticed == (check[0] == UNCHANGED)]
    for name, module in faults:
        print(f"{module}: {'differs from its oracle' if name == UNCHANGED else name}")
    if len(files) == len(mistakes.homes()):
        faults += stale_equivalents(files)
    left_out = len(checks) - len(verdicts)
    print(
        f"{len(verdicts)} mutants of {len(files)} files: {len(faults)} faults, {left_out} left out"
    )
    sys.exit(bool(faults))


def stale_equivalents(files):
    """Names in the list of equivalent mutants that no mutant has."""
    stale = sorted(EQUIVALENT - {mutant.name for mutant in mistakes.mutants(files)})
    for name in stale:
        print(f"tests/equivalents.txt: there is no mutant {name}")
    return stale


def judge(checks, deadline):
    """{(mutant, module): whether it was noticed}, as far as time allows."""
    cache = json.loads(CACHE.read_text()) if CACHE.exists() else {}
    keys = {check: f"{fingerprint(check[1])} {check[0]}" for check in checks}
    ahead = [(check, deadline) for check in checks if keys[check] not in cache]
    # JAX has threads, which a fork would not survive.
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        try:
            verdicts = pool.imap_unordered(run_check, ahead)
            for _ in ahead:
                # A pool waits for ever for a worker that died.
                check, noticed = verdicts.next(timeout=LONGEST)
                if noticed is not None:
                    cache[keys[check]] = noticed
        finally:
            CACHE.parent.mkdir(exist_ok=True)
            CACHE.write_text(json.dumps(cache, indent=0, sort_keys=True))
    return {check: cache[key] for check, key in keys.items() if key in cache}


def run_check(task):
    """A check, and whether an oracle noticed its mistake, None after the deadline."""
    (name, module), deadline = task
    if time.time() > deadline:
        return task[0], None
    # Each mutant compiles anew, and a process can map only so many programs.
    jax.clear_caches()
    with precision(np.float64), warnings.catch_warnings():
        warnings.simplefilter("error")
        if name == UNCHANGED:
            return task[0], check_mutant(module, module, compiled(module)) is not None
        mutant = next(m for m in mistakes.planted(module) if m.name == name)
        return task[0], any(check_mutant(file, module, mutant.code) for file in mutant.files)


@functools.cache
def fingerprint(module):
    """A hash of all that the verdicts on a module's mutants depend on."""
    files = mistakes.homes() if module not in mistakes.homes() else [module]
    variants = [name for name in adamjax.list_variants() if home(name) in files]
    paths = {*map(path_of, files), *map(oracle_path, variants), *SHARED}
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(paths))).hexdigest()[:16]


def path_of(module):
    return pathlib.Path(sys.modules[module].__file__)


def oracle_path(name):
    """The file of a variant's oracle."""
    oracle = ORACLES[name]
    return pathlib.Path(inspect.getfile(oracle.args[0] if hasattr(oracle, "args") else oracle))


def touched(changed):
    """The variants whose verdicts depend on one of these paths, or all if that is unknown."""
    names = adamjax.list_variants()
    if changed is None or not changed.isdisjoint(SHARED):
        return names
    return [n for n in names if {path_of(home(n)), oracle_path(n)} & changed]


def changed_paths(base):
    """The paths that differ from a git base. None without a base."""
    difference = git("diff", "--name-only", base) if base else None
    return None if difference is None else {ROOT / line for line in difference.split()}


def default_base():
    """The commit that a branch has left main at, or the one before the present one."""
    head = git("rev-parse", "HEAD")
    bases = [git("merge-base", "HEAD", branch) for branch in ("origin/main", "main")]
    bases.append(git("rev-parse", "--verify", "--quiet", "HEAD~1"))
    return next((base for base in bases if base and base != head), None)


def git(*arguments):
    """The output of a git command, None if it fails."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


if __name__ == "__main__":
    main()
