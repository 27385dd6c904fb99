# Everything is set up from here; only Python 3.11 or later and make are needed.
#   make demo    read the embedded meter over a real connection
#   make test    run every test, the interoperability tests with other implementations included
#   make check   lint, format, types, import layers, documentation
#   make bench   measure, beside other implementations, in one run
#   make docs    build the documentation into docs/_build/html
#   make clean   remove whatever the other targets made

PYTHON ?= python3
VENV := .venv
PEERS := .venv-interop
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PEER_STAMP := $(PEERS)/stamps/interop
PIP := -m pip --disable-pip-version-check --quiet

# Options for pytest, for example: make test PYTEST_ARGS="-x tests/codec"
PYTEST_ARGS ?=

.PHONY: demo test check bench docs clean
.DELETE_ON_ERROR:

demo: $(STAMPS)/package
	$(BIN)/cosem demo

test: $(STAMPS)/dev $(PEER_STAMP)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(STAMPS)/dev $(STAMPS)/docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports --no-logo
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

docs: $(STAMPS)/docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(STAMPS)/package $(PEER_STAMP)
	$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

clean:
	rm -rf $(VENV) $(PEERS) build dist docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf src/cosem.egg-info

# The stamps: each stands for a finished installation and is made again when pyproject.toml changes.
# pip is renewed first, because dependency groups (--group) need pip 25.1.
$(STAMPS)/python:
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) was not found; cosem needs Python 3.11 or later (make PYTHON=/path/to/python3 ...)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is `$(PYTHON) -V`; cosem needs Python 3.11 or later (make PYTHON=/path/to/python3 ...)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: $(PYTHON) cannot make virtual environments; install its venv package (on Debian: python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) install --upgrade "pip>=25.1"
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/package: pyproject.toml | $(STAMPS)/python
	$(BIN)/python $(PIP) install --editable ".[rich]"
	@touch $@

$(STAMPS)/dev: pyproject.toml $(STAMPS)/package
	$(BIN)/python $(PIP) install --group dev
	@touch $@

$(STAMPS)/docs: pyproject.toml $(STAMPS)/package
	$(BIN)/python $(PIP) install --group docs
	@touch $@

# Other implementations live in an environment of their own: cosem never imports them.
$(PEER_STAMP): pyproject.toml | $(STAMPS)/python
	$(BIN)/python -m venv $(PEERS)
	$(PEERS)/bin/python $(PIP) install --upgrade "pip>=25.1"
	$(PEERS)/bin/python $(PIP) install --group interop
	@mkdir -p $(dir $@) && touch $@
