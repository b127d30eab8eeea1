# A newcomer needs two of these: `make drill` and `make test`. Everything is set up in .venv by itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: drill test test-console test-pair test-slow test-simulation test-all lint types arrows mutations screenshots constraints clean help

help:
	@echo "make drill        a practice pair, and the console on it"
	@echo "make test         units, contracts, simulation (under 10 minutes)"
	@echo "make test-all     the console's tests and pictures, the practice pair, the slow matrices too"
	@echo "make lint types arrows     ruff, mypy, import-linter"
	@echo "make mutations    every gate and guard taken out, one at a time, and what catches that"
	@echo "make screenshots  write screenshots/ and the generated tables anew"

drill: $(VENV)/.ready
	@$(BIN)/skytui drill

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow" \
		--ignore tests/simulation/test_kill_matrix.py tests/unit tests/contract tests/docs tests/simulation

test-console: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow" tests/tui tests/snapshot

test-pair: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow" \
		tests/simulation/test_kill_matrix.py tests/e2e tests/packaging

test-slow: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m slow

test-simulation: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m slow tests/simulation

test-all: test test-console test-pair test-slow

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready-dev
	$(BIN)/mypy

arrows: $(VENV)/.ready-dev
	$(BIN)/lint-imports

mutations: $(VENV)/.ready-dev
	@$(BIN)/python -m tests.simulation.mutations

screenshots: $(VENV)/.ready-dev
	$(BIN)/python -m tests.snapshot.write_screenshots
	$(BIN)/python -m tests.snapshot.write_readme
	$(BIN)/python -m tests.docs.write_profiles

# The versions everything was tested with; no addresses, so that every mirror serves.
constraints: $(VENV)/.ready-dev
	$(BIN)/pip freeze --exclude-editable | sort -f > constraints.txt

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "skytui needs Python 3.11 or newer; set PYTHON=..." >&2; exit 1; }
	@if command -v uv >/dev/null 2>&1; then uv venv --quiet --seed $(VENV); \
		else $(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing" >&2; exit 1; }; fi

$(VENV)/.ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "setting up $(VENV) (a minute, the first time only) ..."
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --python $(BIN)/python -c constraints.txt -e '.[lab]'; \
		else $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[lab]'; fi
	@touch $@

$(VENV)/.ready-dev: requirements-dev.txt $(VENV)/.ready
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --python $(BIN)/python -c constraints.txt -r requirements-dev.txt; \
		else $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -r requirements-dev.txt; fi
	@touch $@
