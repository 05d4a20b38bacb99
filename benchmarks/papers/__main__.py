"""Runs all experiments of this folder, or those that are named."""

import argparse
import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType

from benchmarks import papers, record
from benchmarks.papers import paper


def experiments() -> dict[str, ModuleType]:
    """The modules of this folder that are experiments, by name."""
    names = [module.name for module in pkgutil.iter_modules(papers.__path__)]
    modules = {
        name: importlib.import_module(f"benchmarks.papers.{name}")
        for name in names
        if name != "__main__"
    }
    return {name: module for name, module in modules.items() if hasattr(module, "EXPERIMENT")}


def main(argv: Sequence[str] | None = None) -> None:
    known = experiments()
    options = record.parser("papers", __doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)} (all)")
    anew = "word and judge the results that there are anew, without another run"
    options.add_argument("--judge", action="store_true", help=anew)
    given: argparse.Namespace = record.parse(options, argv)
    for name in given.names:
        if name not in known:
            options.error(f"unknown experiment {name!r}; there are {', '.join(known)}")
    for name in given.names or known:
        module = known[name]
        if given.judge:
            for file in record.find(f"papers.{name}", given.results).values():
                paper.judge(file, module.EXPERIMENT, module.findings)
            continue
        settings = module.QUICK if given.quick else module.Settings()
        paper.run(name, module.EXPERIMENT, given, settings, module.measure, module.findings)


if __name__ == "__main__":
    main()
