# Every target does its own set-up: a fresh machine needs make and Python 3.11 or newer, nothing else.
# Another interpreter: make test PYTHON=python3.12

ifndef PYTHON
PYTHON := $(shell for p in python3 python3.11 python3.12 python3.13 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
endif

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TORCH := $(shell grep '^torch==' constraints.txt)
USER := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
BUDGET ?= 60s
PYTEST_ARGS ?= -n auto --dist loadfile --no-loadscope-reorder

.PHONY: help setup setup-dev demo test lint format types contracts check docs bench clean

help:
	@echo "make demo    fit a model to examples/data/penguins.csv in a minute and say where the report is"
	@echo "make test    run all tests"
	@echo "make check   lint, types, import contracts, tests"
	@echo "make setup   only install autodl into .venv; then: .venv/bin/autodl fit YOUR.csv"
	@echo "make format  repair what lint finds"
	@echo "make docs    write docs/command-line.md and docs/bad-input.md again"
	@echo "make clean   remove .venv and all caches"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found; name it: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# torch first and by its exact pin: an open range would let pip choose another build of it.
$(USER): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing autodl into $(VENV) (a few minutes the first time) ..."
	$(PIP) "$(TORCH)"
	$(PIP) -c constraints.txt -e .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing autodl with all that its tests need into $(VENV) (a few minutes the first time) ..."
	$(PIP) "$(TORCH)"
	$(PIP) -c constraints.txt -e ".[all,dev]"
	@touch $@ $(USER)

setup: $(USER)
setup-dev: $(DEV)

demo: $(USER)
	$(BIN)/autodl fit examples/data/penguins.csv --target Sex --time-budget $(BUDGET)

test: $(DEV)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(DEV)
	$(BIN)/mypy

contracts: $(DEV)
	$(BIN)/lint-imports

check: lint types contracts test

docs: $(DEV)
	$(BIN)/python docs/write_command_line.py
	$(BIN)/python docs/write_bad_input.py
	$(BIN)/python docs/write_preparation.py

bench: $(DEV)
	@ls benchmarks/*.py
	@echo "Run one with: $(BIN)/python benchmarks/NAME.py --help"

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
