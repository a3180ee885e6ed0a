# Two commands: `make report` (from nothing to the open report) and `make test`. Each makes its own environment.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help report test bench stress serve lab app pins docs clean

PYTHON ?= python3
BIN := .venv/bin
BASE := .venv/.base
TEST := .venv/.test
BENCH := .venv/.bench
STAGES := .venv/.stages
BEGAN := $(shell date +%s)

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

report: $(BASE) ## load the shipped companies, train, scan them all, write reports/index.html
	@$(BIN)/tsbench warmup
	@$(BIN)/tsbench report
	@echo "total: $$(( $$(date +%s) - $(BEGAN) )) s"

test: $(TEST) ## every check and test, each stage timed against its budget
	@: > $(STAGES)
	@$(call stage,lint,60,$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports \
	  && $(BIN)/nb-clean check --preserve-cell-metadata-field tags notebooks)
	@$(call stage,warm kernels,90,$(BIN)/tsbench warmup && $(BIN)/pytest -m compiling)
	@$(call stage,unit,240,$(BIN)/pytest -n 2 -m "not notebook and not browser and not fault and not compiling")
	@$(call stage,notebooks,120,.ci/notebooks && $(BIN)/pytest -n 2 --dist loadfile -m notebook)
	@$(call stage,browser,180,$(BIN)/pytest -n 2 --dist loadfile -m browser)
	@$(call stage,faults,120,$(BIN)/pytest -n 2 --dist loadfile -m fault)
	@echo "stage durations:"; cat $(STAGES); echo "total: $$(( $$(date +%s) - $(BEGAN) )) s"

bench: $(BENCH) ## measure the bars beside their peers
	@for script in $$(grep -l __main__ benchmark/*.py | grep -v stress); do echo "== $$script"; $(BIN)/python "$$script"; done

stress: $(BASE) ## put a service of its own under load for two minutes and hold it to the limits
	@$(BIN)/python benchmark/stress.py

serve: $(BASE) ## the service, on loopback: fit, predict and more over HTTP
	@$(BIN)/tsbench serve

lab: $(BASE) ## JupyterLab in the project's environment, on loopback
	@$(BIN)/tsbench load
	@$(BIN)/python -m tsbench.lab.server lab . --LabApp.default_url=/lab/tree/notebooks/README.md

app: $(BASE) ## the board of notebook 02 as an app without code, on loopback
	@$(BIN)/tsbench load
	@$(BIN)/python -m tsbench.lab.server app notebooks/02_design_pattern.ipynb

docs: $(BASE) ## print the generated pages anew: docs/configuration.md, docs/cli.md, docs/api.md, docs/library.md, .env.example
	@$(BIN)/python docs/generate.py

COMPILE := uv pip compile --quiet --upgrade --universal --no-header --no-emit-index-url --no-emit-find-links \
  --python-version 3.11
pins: $(BASE) ## resolve requirements/*.txt anew from pyproject.toml
	@PATH="$$PWD/$(BIN):$$PATH"; \
	$(COMPILE) pyproject.toml -o requirements/base.txt; \
	$(COMPILE) --extra test pyproject.toml -o requirements/test.txt; \
	$(COMPILE) --extra bench pyproject.toml -o requirements/bench.txt

clean: ## remove the environment and the caches; data, reports and the database stay
	rm -rf .venv *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# ---- the environment: made once, stamped; a second call costs nothing -------------------------------------

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1); try: make PYTHON=python3.12 ..."; exit 1; }
	@if command -v uv >/dev/null; then uv venv --quiet --seed --python "$$(command -v $(PYTHON))" .venv; \
	  else $(PYTHON) -m venv .venv; fi

# Where packages come from is the user's own setting of uv and pip; pip is the way out where uv reaches nothing.
# uv trusts the certificates of the machine, as a firm's proxy needs.
export UV_SYSTEM_CERTS ?= 1
define fetch
  { PATH="$$PATH:$$PWD/$(BIN)" uv pip install --quiet --python $(BIN)/python $(1) || \
    { echo "uv did not manage; pip tries ..."; $(BIN)/python -m pip install --quiet $(1); }; }
endef
# Compiled at once: where Python is told to write no bytecode, every process would compile what it imports anew.
define install
  $(call fetch,-r requirements/$(1).txt) && \
  { $(BIN)/python -m compileall -q -j 0 .venv/lib tsbench >/dev/null 2>&1 || true; } && \
  date +%s > .venv/.$(1) && echo "$(1) environment ready in $$(( $$(date +%s) - $(BEGAN) )) s (budget 120)"
endef

$(BASE): .venv/bin/python requirements/base.txt pyproject.toml
	@command -v uv >/dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	@echo "setting up .venv ..."
	@$(call fetch,--no-deps -e .)
	@$(call install,base)

$(TEST): $(BASE) requirements/test.txt
	@$(call install,test)
	@.ci/browser

$(BENCH): $(BASE) requirements/bench.txt
	@$(call install,bench)

# $(call stage,name,budget in seconds,command): runs it, notes how long it took. In a subshell, for bash goes on after
# a failure inside `a && b`, not after one of `( a && b )`.
define stage
echo "== $(1)"; began=$$SECONDS; ( $(3) ); took=$$(( SECONDS - began )); \
  printf '  %-14s %4d s of %3d s  %s\n' "$(1)" "$$took" $(2) "$$( (( took <= $(2) )) || echo OVER )" >> $(STAGES)
endef
