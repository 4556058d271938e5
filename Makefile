# SPDX-License-Identifier: Apache-2.0
# "make" alone lists what can be made.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test bench lint docs screenshots lock clean environment

# The first interpreter that starts and is new enough. PYTHON=… overrides it.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo "$$name"; exit; }; done; echo no-python-3.11-or-newer-found)

BIN := .venv/bin

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: ## install what is needed and run everything on this machine (ARGS="…")
	@began=$$(date +%s.%N); \
	$(PYTHON) tools/environment.py run; \
	UNDISCLOSED_BEGAN_AT=$$began exec $(BIN)/undisclosed run $(ARGS)

environment:
	@$(PYTHON) tools/environment.py test

test: environment ## run the tests; as root, install from Debian what they need (ARGS="…")
	@tests/install-debian-packages.sh
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile \
		--no-loadscope-reorder $(ARGS)

bench: environment ## measure against peers and bounds, print a table (ARGS="--quick")
	@tests/install-debian-packages.sh
	@$(BIN)/python -m bench $(ARGS)

lint: environment ## style, types, import contracts, docstrings, documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src tools
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet src
	$(BIN)/python -m tools.reference --check

docs: environment ## write the generated pages of docs/reference anew
	@$(BIN)/python -m tools.reference

screenshots: environment ## take the pictures of docs/screenshots anew
	@tests/install-debian-packages.sh
	@$(BIN)/python -m tests.browser.screenshots

lock: environment ## pin the newest versions that pyproject.toml allows
	@tools/lock.sh --upgrade

clean: ## remove what can be made again; data/ stays
	rm -rf .venv build dist bench/results .coverage .pytest_cache .mypy_cache \
		.ruff_cache .import_linter_cache .hypothesis src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
