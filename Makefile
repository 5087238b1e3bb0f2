# make install     a virtual environment of the project's own, .venv, with everything in it
# make dashboard   the explorer in the browser; ARGS='--bundle FILE --port 9000' are handed on
# make test        lint, types and all tests; ARGS='-k name' are handed on to pytest
# make test-full   the same, and what ships is rebuilt from scratch and compared
# make lint        ruff and mypy
# make docs        the docs site in build/docs: notebooks, commands, docstrings, a live page
# make truth       figures and tables of docs/cached-estimates.md, from docs/scripts/truth/; needs Chromium
# make film        the moving picture of README.md, from the page; needs Chromium
# make dist        wheel and sdist in dist/, and a look at what is in them
# make test-wheel  the fast tests against the wheel, in an environment of its own (another 6 GB)
# make tables      the tables of the shipped pairs in README.md and data/README.md, from data/
# make schema      the JSON Schema of configurations from the code, after a change to them
# make bench       benchmarks; ARGS='search' runs one
# make gpu         all that needs a GPU, in 12 minutes, into build/gpu or OUT=DIR: tests/benchmarks/gpu/README.md
# make clean       remove .venv and caches
# make ... ACTIVE=1 uses the environment that is active already instead of .venv
PYTHON ?= python3
VENV ?= .venv
SHELL := /bin/bash

ifdef ACTIVE
BIN :=
STAMP := $(if $(VIRTUAL_ENV),$(VIRTUAL_ENV),$(CONDA_PREFIX))/.mnuts-installed
ifeq ($(STAMP),/.mnuts-installed)
$(error ACTIVE=1 was given, but no virtual or conda environment is active: activate one, or leave ACTIVE out)
endif
ENV_READY :=
else
BIN := $(VENV)/bin/
STAMP := $(VENV)/.mnuts-installed
ENV_READY := $(VENV)/bin/python
endif

.PHONY: install dashboard test test-full test-wheel lint docs dist schema tables truth film bench gpu clean help

help:
	@grep -E '^# make' Makefile | sed 's/^# //'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "Python 3.11 or newer is needed; this is %d.%d. Try: make PYTHON=python3.12" % v[:2])'
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt $(ENV_READY)
	$(BIN)python -m pip install --quiet --upgrade pip
	$(BIN)python -m pip install --quiet --constraint constraints.txt --editable '.[all,test]'
	@touch $@

install: $(STAMP)

dashboard: $(STAMP)
	$(BIN)mnuts dashboard $(ARGS)

lint: $(STAMP)
	$(BIN)ruff check .
	$(BIN)ruff format --check .
	$(BIN)mypy

test: lint
	$(BIN)python -m pytest -n 2 --dist worksteal $(ARGS)

test-full: lint
	$(BIN)python -m pytest -n 2 --dist worksteal --run-full $(ARGS)

docs: $(STAMP)
	$(BIN)python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)python -m mkdocs build --strict

schema: $(STAMP)
	$(BIN)python -c 'import json; from mnuts_core.export.config import config_schema as s; print(json.dumps(s(), indent=2))' \
	    > mnuts_core/schemas/mnuts-config-1.schema.json

tables: $(STAMP)
	$(BIN)python -m mnuts_core.demo.tables README.md data/README.md
	$(BIN)python -m mnuts_core.demo.model_cards

truth: $(STAMP)
	$(BIN)python docs/scripts/truth.py

film: $(STAMP)
	$(BIN)python docs/scripts/film.py $(ARGS)

dist: $(STAMP)
	$(BIN)python -m pip install --quiet build twine
	rm -rf dist
	$(BIN)python -m build
	$(BIN)python -m twine check --strict dist/*
	$(BIN)python -m tests.dist dist

# The tests of the unpacked sdist, with nothing of it on the path but the tests themselves.
WHEEL_TESTS := build/wheel
test-wheel: dist
	rm -rf $(WHEEL_TESTS) && mkdir -p $(WHEEL_TESTS)/path
	tar -xzf dist/*.tar.gz -C $(WHEEL_TESTS) && mv $(WHEEL_TESTS)/mnuts-* $(WHEEL_TESTS)/sdist
	ln -s ../sdist/tests $(WHEEL_TESTS)/path/tests
	$(PYTHON) -m venv $(WHEEL_TESTS)/env
	$(WHEEL_TESTS)/env/bin/pip install --quiet --constraint constraints.txt "$$(ls dist/*.whl)[all,test]"
	cd $(WHEEL_TESTS)/sdist && PYTHONPATH=$(CURDIR)/$(WHEEL_TESTS)/path $(CURDIR)/$(WHEEL_TESTS)/env/bin/pytest \
	    tests -n 2 -m 'not slow and not browser' $(ARGS)

bench: $(STAMP)
	$(BIN)python -m tests.benchmarks $(ARGS)

OUT ?= build/gpu
gpu: $(STAMP)
	$(BIN)python -m tests.benchmarks.gpu --out $(OUT) $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
