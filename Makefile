# Needs Python >= 3.11 and nothing else: scripts/setup makes the environments on first use.
#
#   make test PYTHON=/path/to/python3     choose the Python
#   make test ARGS="-k adamw"             pass arguments on (also: make demo ARGS=--help)

.DEFAULT_GOAL := help
.PHONY: help demo test test-wide test-all mutants lint test-oldest test-interop test-site \
    test-frameworks site notebooks dist clean newest oldest interop pages

# Tests of one group, such as those in float64, share compiled programs: they stay on one worker.
PYTEST = -m pytest -n 2 --dist loadgroup $(ARGS)

# Tests compare digits, so they run on the CPU unless told otherwise.
test test-wide test-all mutants test-oldest test-interop test-site site: \
    export JAX_PLATFORMS ?= cpu
# MkDocs announces a version that is not there yet.
test-site site: export NO_MKDOCS_2_WARNING = 1

# These import torch and Keras, other frameworks, or the tools of the site, which no other
# environment has: `make test-interop`, `make test-frameworks` and `make test-site` run them.
ELSEWHERE = --ignore-glob 'tests/interop/test_with_*.py' --ignore tests/site \
    --ignore-glob 'tests/frameworks/test_with_*.py' --ignore tests/frameworks/suite.py \
    --ignore tests/notebooks/test_in_jupyter.py

help:         ## print this list
	@sed -n 's/^\([a-z-]*\): .*## /make \1 @/p' Makefile | awk -F @ '{ printf "%-21s %s\n", $$1, $$2 }'

demo: newest  ## train a Flax model on handwritten digits with several variants, side by side
	.venv/bin/python -m examples.demo $(ARGS)

test: newest  ## run the quick tests, on the newest versions of JAX, Optax and Flax
	@.venv/bin/python scripts/install_libtpu.py
	.venv/bin/python $(PYTEST) $(ELSEWHERE)

test-wide: newest ## run the tests that CI runs as well, without the quick ones
	@.venv/bin/python scripts/install_libtpu.py
	.venv/bin/python $(PYTEST) --tier wide --only $(ELSEWHERE)

test-all: newest ## run every test, and all mutants (hours)
	@.venv/bin/python scripts/install_libtpu.py
	.venv/bin/python $(PYTEST) --tier exhaustive $(ELSEWHERE)
	.venv/bin/python -m tests.mutation

mutants: newest ## run the mutants of the variants that the change touches (ARGS=adam: of Adam)
	.venv/bin/python -m tests.mutation $(or $(ARGS),--changed --minutes 3)

lint: newest  ## check style, formatting and types
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m pyrefly check

# Tests that depend most on the versions of JAX, Optax, Flax and Orbax.
VERSIONS = conformance structure wrapped
test-oldest: oldest  ## run tests on the oldest versions that pyproject.toml admits
	.venv-oldest/bin/python $(PYTEST) $(VERSIONS:%=tests/test_%.py) tests/storage/test_checkpoints.py

test-interop: interop ## run the tests that need torch and Keras, which it installs (some 600 MB)
	KERAS_BACKEND=jax .venv-interop/bin/python $(PYTEST) tests/interop/test_with_*.py

test-frameworks: ## train with MaxText, Tunix, brax and others, which it installs (some 8 GB)
	$(or $(PYTHON),python3) scripts/frameworks.py $(ARGS)

site: pages   ## build the documentation into site/, with a page for each variant
	.venv-site/bin/python -m mkdocs build --strict

test-site: pages ## build the site, open each page in Chromium, and run the notebooks in Jupyter
	.venv-site/bin/python -m pytest $(ARGS) tests/site tests/notebooks/test_in_jupyter.py

notebooks: newest ## write the notebooks from their scripts
	.venv/bin/python scripts/notebooks.py

dist:         ## build the wheel and the sdist, and run the wheel in an empty environment
	$(or $(PYTHON),python3) scripts/dist.py

clean:        ## remove the environments and all caches (not runs/)
	rm -rf .venv .venv.* .venv-oldest .venv-oldest.* .venv-interop .venv-interop.* .venv-site \
	    .venv-site.* .cache build dist site
	rm -rf .pyrefly_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

newest:
	@sh scripts/setup .venv newest

oldest:
	@sh scripts/setup .venv-oldest oldest

interop:
	@sh scripts/setup .venv-interop interop

pages:
	@sh scripts/setup .venv-site site
