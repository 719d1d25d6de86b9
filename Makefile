# `make demo` and `make test` set up all they need in .venv; they want Python >= 3.11 and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RAW ?= ../shared/data

.PHONY: demo test lint docs pages release-check tables bench bench-balance bench-crossover bench-exports bench-gallery bench-reading bench-sweeps clean

demo: $(VENV)/.ready
	$(BIN)/nearshore run nearshoring

test: lint
	$(BIN)/python -m pytest tests benchmarks --benchmark-disable
	$(MAKE) --no-print-directory docs

# The documentation, in docs/_build/html; every code cell runs, a warning is an error.
docs: $(VENV)/.ready
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d docs/_build/doctrees docs docs/_build/html

# Pages of the reference that are made from the package, after a change of commands or scenario files.
pages: $(VENV)/.ready
	$(BIN)/python docs/generated_pages.py
	$(BIN)/nearshore gallery --answers > docs/reference/gallery.md

# Wheel and source archive, installed clean with the oldest and with the newest versions it allows; the tests against both.
release-check: $(VENV)/.ready
	$(BIN)/python release/check.py

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.run $(BENCH)

bench-balance: $(VENV)/.bench
	$(BIN)/python -m benchmarks.balancing

bench-reading: $(VENV)/.bench
	$(BIN)/python -m benchmarks.reading

bench-exports: $(VENV)/.bench
	$(BIN)/python -m benchmarks.exports

bench-gallery: $(VENV)/.bench
	$(BIN)/python -m benchmarks.gallery

bench-sweeps: $(VENV)/.bench
	$(BIN)/python -m benchmarks.sweeps

bench-crossover: $(VENV)/.bench
	$(BIN)/python -m benchmarks.crossover

$(VENV)/.bench: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,units,docs,bench]"
	touch $@

tables: $(VENV)/.ready
	$(BIN)/nearshore calibrate calibration/north-america-2011.toml --raw $(RAW) --out tables/north-america-2011.nc
	$(BIN)/nearshore calibrate calibration/north-america-2022.toml --raw $(RAW) --out tables/north-america-2022.nc \
	  --report docs/reference/north-america-2022.md

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'nearshore_io needs Python 3.11 or newer; say make PYTHON=python3.12')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,units,docs]"
	touch $@

clean:
	rm -rf $(VENV) benchmarks/.cache benchmarks/.peers build dist docs/_build docs/reference/generated .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .benchmarks
