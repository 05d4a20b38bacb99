"""Changes of a rule that alter no step, by the reason; a module for each variant that has some.

Each name must exist among the mutants, so that none outlives its code.
"""

import importlib
import pkgutil

EQUIVALENT = {}

for module in pkgutil.iter_modules(__path__):
    found = importlib.import_module(f"{__name__}.{module.name}").EQUIVALENT
    for reason, names in found.items():
        EQUIVALENT[reason] = EQUIVALENT.get(reason, set()) | names
