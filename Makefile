PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# Where a machine has no ensurepip, the pip that it has installs into the environment from outside.
PIP := $(PYTHON) -m pip --python $(PY) --disable-pip-version-check -qq
KILLS ?= 100
WEATHER_S ?= 600
SEEDS ?= 20000
# More than a small machine has cores: the tests that drive processes wait much of their time.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 2)

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check lint types contracts tests chaos week simulate mutants bench docs lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit("Zyn needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.run: requirements.txt pyproject.toml | $(PY)
	@echo "Installing what Zyn needs into $(VENV), about half a minute …"
	@$(PIP) install --require-hashes -r requirements.txt
	@echo "$(CURDIR)" > "$$($(PY) -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/zyn.pth"
	@printf '#!/bin/sh\nexec "$(CURDIR)/$(PY)" -m bot "$$@"\n' > $(VENV)/bin/zyn && chmod +x $(VENV)/bin/zyn
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing what the tests need …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

setup: $(VENV)/.run ## install what the bot needs into .venv
setup-dev: $(VENV)/.dev ## install what the tests need as well

demo: $(VENV)/.run ## the main job on PAPER: no exchange, no token; reads lines from a pipe
	@$(PY) -m bot demo

test: check tests ## everything that must hold: lint, types, contracts, tests

check: lint types contracts

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.dev
	$(VENV)/bin/mypy

contracts: $(VENV)/.dev
	$(VENV)/bin/lint-imports

tests: $(VENV)/.dev ## the tests alone
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup

chaos: $(VENV)/.dev ## kill the real process, PAPER and LIVE, 100 times each (KILLS=n); ten minutes of bad weather (WEATHER_S=n)
	ZYN_KILLS=$(KILLS) ZYN_WEATHER_S=$(WEATHER_S) $(PY) -m pytest -m chaos -s -p no:xdist tests/e2e

week: $(VENV)/.dev ## a week of recorded candles through the running bot with the autopilot on, killed on the way; 8 minutes
	ZYN_WEEK_CANDLES=2080 $(PY) -m pytest -s -p no:xdist tests/e2e/test_replayed_week.py

simulate: $(VENV)/.dev ## SEEDS=20000 lives in a hostile world, about a quarter of an hour; SEED=k tells one as a story
	$(PY) -m tests.simulation --seeds $(SEEDS) $(if $(SEED),--seed $(SEED))

mutants: $(VENV)/.dev ## plant faults in a copy of the code, one at a time; fails if the simulation misses one
	$(PY) -m tests.simulation.mutants

bench: $(VENV)/.dev ## speed and memory, as a table
	$(PY) -m benchmarks

docs: $(VENV)/.dev ## write the generated parts of the README again
	$(PY) -m bot.docs

lock: $(VENV)/.dev ## compile the pinned, hashed requirements again
	$(VENV)/bin/uv pip compile -q --generate-hashes --no-header --universal --python-version 3.11 requirements.in -o requirements.txt
	$(VENV)/bin/uv pip compile -q --generate-hashes --no-header --universal --python-version 3.11 -c requirements.txt requirements-dev.in -o requirements-dev.txt

clean: ## remove the environment and caches; data/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
