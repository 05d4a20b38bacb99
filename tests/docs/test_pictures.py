"""A variant's picture is drawn again when a file changes that it depends on, and only then."""

import adamjax
from scripts.imports import code_of
from scripts.site.pictures import sources_of
from tests import ROOT


def redrawn(file):
    return [n for n in adamjax.list_variants() if ROOT / "adamjax" / file in sources_of(n)]


def test_a_picture_depends_on_the_files_that_its_variant_imports():
    for file in (
        "rule.py",
        "moments.py",
        "variants/adam.py",
        "cli/compare.py",
        "problems/plane.py",
    ):
        assert redrawn(file) == adamjax.list_variants(), file
    assert redrawn("variants/yogi.py") == ["yogi"]
    assert redrawn("variants/lookahead_adam.py") == ["lookahead_adam"]
    assert redrawn("wrappers/lookahead.py") == ["lookahead_adam", "ranger"]
    assert redrawn("modifiers/cautious.py") == ["c_adamw", "c_lion"]
    for file in ("wrappers/guard.py", "tuning/sweep.py", "__init__.py"):
        assert redrawn(file) == [], file


def test_comments_and_docstrings_change_no_picture(tmp_path):
    def code(text):
        (tmp_path / "file.py").write_text(text, encoding="utf-8")
        return code_of(tmp_path / "file.py")

    first = code('"""One."""\ndef f(x):\n    """Two."""\n    return x  # three\n')
    assert first == code('def f(x):\n    """Four."""\n    # five\n    return x\n')
    assert first != code("def f(x):\n    return -x\n")
