"""What the tests show of which variant: the columns of docs/capabilities.md."""

import re

import adamjax
from tests.law_exceptions import SEVERAL_LOOPS
from tests.reference import resolve
from tests.sandbox import home
from tests.test_trajectories import INDEX

# The tests of each capability: files, and how the names of functions in them begin.
COLUMNS = {
    "trajectories": {"test_trajectories.py": "test_library"},
    "oracle": {"test_oracles.py": "test_float|test_schedules|test_mixed"},
    "mutants killed": {"test_mutants.py": "test_mutant"},
    "laws": {"test_laws.py": "", "test_laws_of_settings.py": "test_average|test_dir|test_declared"},
    "kit": {"test_conformance.py": ""},
    "schedules": {"test_laws_of_settings.py": "test_forms|test_schedules"},
    "decay": {"test_laws_of_settings.py": "test_zero|test_decay|test_decoupled|test_l2"},
    "masks": {"test_laws_of_settings.py": "test_mask", "test_errors.py": "test_mask"},
    "storage": {"storage/test_roles.py": ""},
    "stored, rounded, tracked": {"test_composition.py": ""},
    "on meshes": {
        "sharding/test_sharded.py": "test_divided",
        "sharding/test_specs.py": "test_every",
        "sharding/test_collectives.py": "",
    },
    "errors": {"test_errors.py": "test_[^m]"},
    "one loop": {"test_one_pass.py": "test_one"},
}
# What a variant has no tests of, and why.
OF_DIRECTIONS = "laws are of directions; this moves the parameters to a point"
OF_ALL_LEAVES = "laws are of directions; this finds one step size for all leaves"
HOLES = {
    ("adamc", "trajectories"): "AdamW's at a constant learning rate; else its oracle",
    ("schedule_free_adamw", "laws"): OF_DIRECTIONS,
    ("schedule_free_radam", "laws"): OF_DIRECTIONS,
    ("schedule_free_sgd", "laws"): OF_DIRECTIONS,
    ("dadapt_adam", "laws"): OF_ALL_LEAVES,
    **{(name, "one loop"): why for name, why in SEVERAL_LOOPS.items()},
}


def column_of(node_id):
    """The capability that a test with parameters is of, or None."""
    if "[" not in node_id:
        return None
    file, _, function = node_id.removeprefix("tests/").partition("::")
    for column, tests in COLUMNS.items():
        if file in tests and re.match(tests[file], function):
            return column
    return None


def variants_of(parameters):
    """The variants that a test's parameters name."""
    known = adamjax.list_variants()
    if "mutant" in parameters:
        return [name for name in known if home(name) in parameters["mutant"].files]
    if parameters.get("file") in INDEX:
        return [resolve(INDEX[parameters["file"]])[0]]
    told = [str(parameters.get(key)).split("-")[0] for key in ("label", "name")]
    return [name for name in told if name in known][:1]
