# The same five verbs locally and in CI. Each makes what it needs first, so any of them works on a fresh clone.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := reports/demo/export.jsonl

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.installed ## Make the virtual environment with the locked packages

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/python")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

check: setup ## Lint, format check and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: setup ## All tests: library, documentation, notebooks, reports in a browser where one is installed
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
	$(BIN)/python -m pytest -p no:cacheprovider -n auto --dist loadfile --nbval-lax --nbval-current-env --nbval-cell-timeout=600 notebooks

report: setup ## Write the weekly report of a synthetic export to reports/
	$(BIN)/llmops demo $(DEMO)
	$(BIN)/llmops report weekly $(DEMO)

LOCK := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links

lock: ## Resolve requirements.lock and the lock of the Phoenix that pulls are tested against anew (needs uv)
	$(LOCK) --extra dev pyproject.toml -o requirements.lock
	$(LOCK) tests/sources/fetch/phoenix.in -o tests/sources/fetch/phoenix.lock

.PHONY: help setup check test report lock
