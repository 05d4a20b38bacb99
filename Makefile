# Needs Python >= 3.11 and nothing else: scripts/setup makes the environments on first use.
#
#   make test PYTHON=/path/to/python3     choose the Python
#   make test ARGS="-k adamw"             pass arguments on (also: make demo ARGS=--help)

.DEFAULT_GOAL := help
.PHONY: help demo test lint test-oldest test-interop test-site site notebooks capabilities clean \
    newest oldest interop pages

PYTEST = -m pytest -n 2 $(ARGS)

# Tests compare digits, so they run on the CPU unless told otherwise.
test test-oldest test-interop test-site site: export JAX_PLATFORMS ?= cpu
# MkDocs announces a version that is not there yet.
test-site site: export NO_MKDOCS_2_WARNING = 1

# These import torch and Keras, or what builds and opens the site, which no other environment has;
# `make test-interop` and `make test-site` run them.
ELSEWHERE = --ignore-glob 'tests/interop/test_with_*.py' --ignore tests/site \
    --ignore tests/notebooks/test_in_jupyter.py

help:         ## print this list
	@sed -n 's/^\([a-z-]*\): .*## /make \1 @/p' Makefile | awk -F @ '{ printf "%-18s %s\n", $$1, $$2 }'

demo: newest  ## train a Flax model on handwritten digits with several variants, side by side
	.venv/bin/python -m examples.demo $(ARGS)

test: newest  ## run the tests on the newest versions of JAX, Optax and Flax
	@.venv/bin/python scripts/install_libtpu.py
	.venv/bin/python $(PYTEST) $(ELSEWHERE)

lint: newest  ## check style, formatting and types
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m pyrefly check

# What depends on the rules alone, and not on versions; and on what the newest compiler makes of it.
RULES = test_mutants test_laws test_laws_of_settings test_oracles test_composition test_trajectories \
    modifiers/test_modifiers storage/test_roles cli/test_problems sharding/test_collectives \
    benchmarks/test_papers notebooks/test_scripts
test-oldest: oldest  ## run the tests on the oldest versions that pyproject.toml admits
	@.venv-oldest/bin/python scripts/install_libtpu.py
	.venv-oldest/bin/python $(PYTEST) $(RULES:%=--ignore tests/%.py) $(ELSEWHERE)

test-interop: interop ## run the tests that need torch and Keras, which it installs (some 600 MB)
	KERAS_BACKEND=jax .venv-interop/bin/python $(PYTEST) tests/interop adamjax/interop

site: pages   ## build the documentation into site/, with a page for each variant
	.venv-site/bin/python -m mkdocs build --strict

test-site: pages ## build the site, open each page in Chromium, and run the notebooks in Jupyter
	.venv-site/bin/python -m pytest $(ARGS) tests/site tests/notebooks/test_in_jupyter.py

notebooks: newest ## write the notebooks from their scripts
	.venv/bin/python scripts/notebooks.py

capabilities: newest ## count the tests of each variant, for docs/capabilities.md
	JAX_PLATFORMS=cpu .venv/bin/python -m pytest --collect-only -qq \
	    --capabilities=docs/capabilities.json $(ELSEWHERE)
	.venv/bin/python scripts/readme.py

clean:        ## remove the environments and all caches (not runs/)
	rm -rf .venv .venv.* .venv-oldest .venv-oldest.* .venv-interop .venv-interop.* .venv-site \
	    .venv-site.* .cache build dist site
	rm -rf .hypothesis .pyrefly_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

newest:
	@sh scripts/setup .venv newest

oldest:
	@sh scripts/setup .venv-oldest oldest

interop:
	@sh scripts/setup .venv-interop interop

pages:
	@sh scripts/setup .venv-site site
