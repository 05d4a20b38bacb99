"""The pages are true: their Python runs and prints what stands there, and their links lead on.

README.md, docs/recipes.md and docs/interop.md have tests of their own, which know more of them.
"""

import re

import jax
import pytest

from adamjax.storage.store import MIN_SIZE
from tests import documents

# Run by tests/test_readme.py, tests/frameworks/test_recipes.py, tests/interop/documents.py.
ELSEWHERE = ("README.md", "docs/recipes.md", "docs/interop.md")
# Pages whose blocks need more than the oldest JAX.
NEEDS = {"docs/sharding.md": (0, 7)}

FILES = {str(file.relative_to(documents.ROOT)): file for file in documents.files()}
PAGES = [name for name, file in FILES.items() if documents.blocks(file) and name not in ELSEWHERE]


def version(name):
    """A mark for pages that this JAX is too old for."""
    needed = NEEDS.get(name, (0, 0))
    old = jax.__version_info__[:2] < needed
    return pytest.mark.skipif(old, reason=f"needs JAX {'.'.join(map(str, needed))}")


def test_pages_are_found():
    assert {"docs/quickstart.md", "docs/storage.md", "docs/sharding.md"} <= set(PAGES)
    assert set(NEEDS) <= set(PAGES)


@pytest.mark.parametrize("name", FILES)
def test_each_block_of_python_is_seen(name):
    """Fences in other spellings, or in lists, would be passed over."""
    fences = re.findall(
        r"^ *(?:```|~~~) *(?:python|py|pycon)\b", FILES[name].read_text("utf-8"), re.M
    )
    assert len(fences) == len(documents.blocks(FILES[name]))


@pytest.mark.parametrize("name", [pytest.param(name, marks=version(name)) for name in PAGES])
def test_page_runs_and_prints_what_it_says(name, capsys, tmp_path, monkeypatch):
    """A page is one program, from top to bottom."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    for block in documents.blocks(FILES[name]):
        documents.run(block, FILES[name], names)
        printed, wanted = capsys.readouterr().out.splitlines(), documents.expected(block.code)
        agree = len(printed) == len(wanted) and all(map(documents.same, printed, wanted))
        assert agree, f"{name}, line {block.line}: printed {printed}, but it says {wanted}"


@pytest.mark.parametrize("name", FILES)
def test_links_to_files_and_to_sections_exist(name):
    file = FILES[name]
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8")):
        path, _, section = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        there = (file.parent / path).resolve() if path else file
        assert there.exists(), f"{name}: {target}"
        if section:
            assert section in anchors(there), f"{name}: {target}"


# What README and docs/storage.md both say is to be changed in both.
TOLD_TWICE = (
    f"{MIN_SIZE:,} elements",
    "3·10⁻⁸",
    "0.25",
    "2·10⁻¹³",
    "65,536",
    "some 0.1 s",
    'roles={"mu": "signed", "nu": "square"}',
    "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true",
)


@pytest.mark.parametrize("fact", TOLD_TWICE)
def test_readme_and_storage_say_the_same(fact):
    for file in ("README.md", "docs/storage.md"):
        assert fact in " ".join(FILES[file].read_text(encoding="utf-8").split()), file


def anchors(file):
    """What the headings of a file are called in links, where GitHub and MkDocs agree on it."""
    text = re.sub(r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.M | re.S)
    plain = (
        re.sub(r"[^\w\s-]", "", heading).strip().lower()
        for heading in re.findall(r"^#+ (.*)$", text, flags=re.M)
    )
    return {
        heading.replace(" ", "-")
        for heading in plain
        if re.sub(r"[-\s]+", " ", heading) == heading.replace("-", " ")
    }


@pytest.mark.parametrize(
    ("printed", "wanted", "agree"),
    [
        ("0.98", "0.99", True),
        ("0.98", "0.93", False),
        ("3 of 4", "3 of 5", False),
        ("0.98", "accuracy", False),
        ("1.5 2.5", "1.5", False),
        ("adam True", "adam True", True),
    ],
)
def test_figures_may_differ_in_their_last_digit(printed, wanted, agree):
    assert documents.same(printed, wanted) is agree
