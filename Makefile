# Needs python3 (3.11 or newer, with venv), git and make; everything else is put below this folder.
PYTHON ?= python3
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip
# uv trusts what pip and git trust, the machine's certificates: behind a proxy of one's own, set-up stopped half-way.
export UV_SYSTEM_CERTS ?= true
export XDG_CACHE_HOME := $(CURDIR)/.cache
export PYTHONDONTWRITEBYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
TOX := .venv/bin/python -m tox run --quiet --no-list-dependencies
UV_COMPILE := .venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help audit test policy gate restore lint types docs bench package lock clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/.ready: requirements/bootstrap.txt
	@echo "backcheck: setting up .venv (first run only)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "backcheck needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --require-hashes -r requirements/bootstrap.txt
	@touch $@

audit: .venv/.ready ## audit the simulated TechModa account, write reports/audit/
	@$(TOX) -e audit

test: .venv/.ready ## the library's own tests, with coverage
	@$(TOX) -e test
	@echo "Left out of 'make test' (each is heavy, run it by name): tox -e browser, tox -e spark, tox -e awscli, tox -e e2e"

policy gate restore lint types docs bench package: .venv/.ready ## one tox environment each
	@$(TOX) -e $@

lock: .venv/.ready ## write requirements/*.txt anew
	@$(UV_COMPILE) requirements/bootstrap.in -o requirements/bootstrap.txt
	@$(UV_COMPILE) pyproject.toml requirements/dev.in --extra sandbox --extra gate --extra manifest --extra test -o requirements/dev.txt
	@$(UV_COMPILE) pyproject.toml requirements/dev.in --all-extras -o requirements/spark.txt
	@$(UV_COMPILE) pyproject.toml requirements/dev.in requirements/browser.in --extra sandbox --extra gate --extra manifest --extra test -o requirements/browser.txt
	@$(UV_COMPILE) requirements/checkov.in -o requirements/checkov.txt
	@$(UV_COMPILE) requirements/awscli.in -o requirements/awscli.txt
	@$(UV_COMPILE) requirements/e2e.in -o requirements/e2e.txt

clean: ## remove environments, caches and reports
	rm -rf .venv .tox .cache .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage* build src/*.egg-info
	find reports -mindepth 1 ! -name .gitkeep -delete
