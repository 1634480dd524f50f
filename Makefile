# Roadside: `make` alone lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROADSIDE_DATA ?= ../shared/data
export ROADSIDE_DATA

DEMO_CLIP := var/demo/street.mp4
SOURCE ?= $(DEMO_CLIP)
OUT ?=

.PHONY: help
help: ## This list
	@echo "Roadside reads number plates and checks vignettes. Start with: make run"
	@echo
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort -u | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'
	@echo
	@echo "Your own camera, clip or picture: make run SOURCE=rtsp://user:pass@camera/stream"

# --- The environment ----------------------------------------------------------------------------

# What `make run` needs and no more.
$(VENV)/.run: requirements.lock pyproject.toml
	@bash .ci/packages run
	@test -x $(BIN)/python || { echo "Making $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the Python packages of requirements.lock into $(VENV) (about 300 MB, no root needed)"
	@$(BIN)/pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	@$(BIN)/pip install --disable-pip-version-check --quiet --no-deps -e .
	@touch $@

# Everything that tests, lint and the cluster's services need.
$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@bash .ci/packages reader test
	@echo "Installing the Python packages of requirements-dev.lock into $(VENV)"
	@$(BIN)/pip install --disable-pip-version-check --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: install dev lock clean
install: $(VENV)/.run ## Make .venv with what reading plates needs

dev: $(VENV)/.dev ## Make .venv with what tests, lint and services need

lock: ## Pin the Python packages of pyproject.toml anew
	@command -v $(BIN)/uv > /dev/null || $(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes -o requirements.lock
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --extra cluster --extra s3 --extra video -c requirements.lock -o requirements-cluster.lock
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --extra console -c requirements.lock -o requirements-console.lock
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --extra cluster --extra console --extra dev -c requirements-cluster.lock -o requirements-dev.lock
	@# These tools import nothing of Roadside: their locks hold the extra alone.
	for extra in docs release; do \
	  $(BIN)/python -c 'import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], sep="\n")' $$extra \
	  | $(BIN)/uv pip compile -q - --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" -o requirements-$$extra.lock || exit 1; \
	done
	$(BIN)/python -m release.locks
	@# What it does not know is added to NOTICE by hand, and stays.
	-$(BIN)/python -m release.licences --write

clean: ## Remove .venv, caches and what runs left in var/
	rm -rf $(VENV) .venv-docs .venv-release var build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# --- Reading plates -----------------------------------------------------------------------------

$(DEMO_CLIP): | $(VENV)/.run
	@mkdir -p $(@D)
	@echo "Rendering the demonstration street into $@ (once)"
	@$(BIN)/python -m models.synth.street --out $@

.PHONY: run
run: $(VENV)/.run ## Read a street's plates and check vignettes (SOURCE=... for your own)
	@if [ "$(SOURCE)" = "$(DEMO_CLIP)" ]; then $(MAKE) --no-print-directory $(DEMO_CLIP); fi
	@bash demo/run "$(DEMO_CLIP)" "$(SOURCE)" "$(OUT)"

# What the console needs on top.
$(VENV)/.console: requirements-console.lock $(VENV)/.run
	@echo "Installing the Python packages of requirements-console.lock into $(VENV) (60 MB)"
	@$(BIN)/pip install --disable-pip-version-check --quiet --require-hashes -r requirements-console.lock
	@touch $@

.PHONY: demo
demo: $(VENV)/.console $(DEMO_CLIP) ## A street, its plates and a console in the browser, to try (PORT=8080)
	@bash demo/console "$(DEMO_CLIP)"

# --- Keeping it right ---------------------------------------------------------------------------

.PHONY: test lint format bench
# Files of tests run beside one another, each whole: most wait for servers that they start.
WORKERS ?= 2
test: $(VENV)/.dev ## Run every test (set ROADSIDE_DATA to the photographs' folder; WORKERS=1 for one at a time)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

lint: $(VENV)/.dev ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy services models release
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Let ruff format the code
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format .

bench: $(VENV)/.dev $(DEMO_CLIP) ## Frames a second, milliseconds a stage and peak memory
	@$(BIN)/python -m tests.bench.embedded $(CLIP)

# --- Parts that bring their own targets ---------------------------------------------------------

-include */*.mk
