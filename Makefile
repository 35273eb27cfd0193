# make demo | test | acceptance | check | ui | api | bench. Each sets up what it needs (Python 3.11 or later).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REFINEBIO_HOME ?= refinebio_home
API_URL ?= http://127.0.0.1:8000
export REFINEBIO_HOME
# A shell's own PYTHONPATH would mix other packages into the environment made here.
unexport PYTHONPATH
# Compiled modules are kept: without them every command takes seconds longer to start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test acceptance check format ui api fuzz bench clean lock salmon test-services

help: ## Say what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: $(VENV)/run.stamp salmon ## Set up, simulate a small world, process it and compare with the truth
	$(BIN)/refinebio-assets demo

test: $(VENV)/dev.stamp salmon test-services ## Set up and run the tests
	$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_OPTIONS)

acceptance: $(VENV)/dev.stamp test-services ## Prove the limits and recovery with fifty queued runs on real servers
	REFINEBIO_ACCEPTANCE=1 $(BIN)/python -m pytest refinebio_assets_tests/deployment --durations=0 $(PYTEST_OPTIONS)

check: $(VENV)/dev.stamp ## Lint, format, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/dev.stamp ## Format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

ui: $(VENV)/run.stamp salmon ## Open Dagster's UI on the lake in REFINEBIO_HOME
	$(BIN)/refinebio-assets ui

api: $(VENV)/run.stamp ## Serve the lake in REFINEBIO_HOME to refine.bio's clients
	$(BIN)/refinebio-assets api

fuzz: ## Ask the web API at API_URL whatever its documentation allows and forbids
	PYTHON=$(PYTHON) ./.ci/fuzz-api $(API_URL) $(FUZZ_OPTIONS)

bench: $(VENV)/dev.stamp salmon ## Run the benchmarks beside their peers
	BENCH_PYTHON=$(PYTHON) ./benchmarks/run

lock: $(VENV)/dev.stamp ## Choose new versions for the lock files
	$(BIN)/uv pip compile -q --universal --upgrade --fork-strategy fewest --python-version 3.11 --no-annotate --no-header --extra h5ad --extra s3 --extra cluster --extra dev setup.cfg -o requirements-dev.lock
	$(BIN)/uv pip compile -q --universal --upgrade --fork-strategy fewest --python-version 3.11 --no-annotate --no-header --extra h5ad -c requirements-dev.lock setup.cfg -o requirements.lock

clean: ## Remove the environment and caches; the lake stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

salmon:
	@./.ci/require salmon salmon "conda install -c bioconda salmon"

test-services:
	@./.ci/require --optional /usr/lib/postgresql/*/bin/initdb postgresql "tests against a real Postgres are skipped without it"
	@./.ci/require --optional redis-server redis-server "tests of workers on several machines are skipped without it"

$(BIN)/uv:
	@./.ci/make-venv $(PYTHON) $(VENV)

$(VENV)/run.stamp: requirements.lock setup.cfg $(BIN)/uv
	@./.ci/install $(VENV) requirements.lock
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock setup.cfg $(BIN)/uv
	@./.ci/install $(VENV) requirements-dev.lock
	@touch $(VENV)/run.stamp $@
