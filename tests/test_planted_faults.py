"""The faults of tests/planted_faults.py still apply to the library."""

import shutil

from tests import ROOT
from tests.planted_faults import FAULTS, plant


def test_each_fault_changes_one_place(tmp_path):
    shutil.copytree(ROOT / "adamjax", tmp_path / "adamjax")
    for fault in FAULTS:
        file = tmp_path / "adamjax" / fault.file
        original = plant(fault, tmp_path)  # raises an error unless one place matches
        compile(file.read_text(encoding="utf-8"), fault.file, "exec")
        file.write_text(original, encoding="utf-8")
