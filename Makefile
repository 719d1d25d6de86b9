# `make demo` and `make test` set up all they need in .venv; they want Python >= 3.11 and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RAW ?= ../shared/data

.PHONY: demo test lint tables bench bench-balance bench-crossover bench-exports bench-gallery bench-reading bench-sweeps clean

demo: $(VENV)/.ready
	$(BIN)/nearshore run nearshoring

test: lint
	$(BIN)/python -m pytest tests benchmarks --benchmark-disable

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
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,units,bench]"
	touch $@

tables: $(VENV)/.ready
	$(BIN)/nearshore calibrate calibration/north-america-2011.toml --raw $(RAW) --out tables/north-america-2011.nc
	$(BIN)/nearshore calibrate calibration/north-america-2022.toml --raw $(RAW) --out tables/north-america-2022.nc \
	  --report docs/reference/north-america-2022.md

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'nearshore_io needs Python 3.11 or newer; say make PYTHON=python3.12')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,units]"
	touch $@

clean:
	rm -rf $(VENV) benchmarks/.cache benchmarks/.peers build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .benchmarks
