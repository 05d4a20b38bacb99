"""The files that GitHub and pre-commit read are valid and agree with the project."""

import re
import tomllib

import yaml

import adamjax
from tests.documents import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_workflow_runs_targets_of_the_makefile():
    (job,) = read(".github/workflows/ci.yml")["jobs"].values()
    runs = job["strategy"]["matrix"]["include"]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert {run["target"] for run in runs} <= set(targets)
    pythons = [run["python"] for run in runs if run["target"] == "test"]
    prefix = "Programming Language :: Python :: 3."
    assert pythons == [c[-4:] for c in PROJECT["classifiers"] if c.startswith(prefix)]


def test_pre_commit_has_the_linter_of_the_project():
    hooks = {repo["repo"]: repo for repo in read(".pre-commit-config.yaml")["repos"]}
    ruff = hooks["https://github.com/astral-sh/ruff-pre-commit"]
    assert f"ruff=={ruff['rev'].removeprefix('v')}" in PROJECT["optional-dependencies"]["dev"]
    assert [hook["id"] for hook in ruff["hooks"]] == ["ruff-check", "ruff-format"]


def test_the_citation_is_of_this_version():
    citation = read("CITATION.cff")
    assert adamjax.__version__ == PROJECT["version"]
    for key in ("version", "license"):
        assert citation[key] == PROJECT[key]
    assert citation["title"] == PROJECT["name"] and citation["cff-version"] == "1.2.0"


def test_the_changelog_has_this_version_and_one_line_for_each_entry():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version, date = re.search(r"^## (\S+) - (\S+)$", text, re.M).groups()
    assert version == adamjax.__version__ and date == str(read("CITATION.cff")["date-released"])
    entries = text.partition(f"## {version}")[2].splitlines()[4:]
    assert [e for e in entries if e and not re.match(r"### |- [A-Z][a-z]+ ", e)] == []
