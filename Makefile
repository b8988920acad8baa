# Needs Python 3.11 or newer, make and git; everything else goes into $(VENV).
PYTHON ?= python3
VENV ?= .venv
CORES ?= all
DEMO ?= .
UV_VERSION := 0.13.8
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced
SYNTHESISERS := vocaltractlab-cython==0.0.17 espeakng-loader==0.2.4

.PHONY: venv lint format test demo contract synthesisers models clean
.PHONY: synthetic-ema synthetic-ema-disjoint synthetic-tone synthetic-parallel

venv: $(STAMP)

$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Phonoscope needs Python 3.11 or newer; set PYTHON=/path/to/it")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	touch $@

lint: $(STAMP)
	$(BIN)/ruff check --no-cache
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(STAMP)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/snakefmt Snakefile workflow

test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

# The study on the shipped corpus and models, and its report.
demo: $(STAMP)
	$(BIN)/snakemake --cores $(CORES)
	$(BIN)/snakemake --report results/report.html
	@echo "The report is in $(CURDIR)/results/report.html"

# What a change makes again and what it leaves alone, tried on copies of the finished demo in the folder DEMO.
contract: export PHONOSCOPE_DEMO = $(abspath $(DEMO))
contract: export OMP_NUM_THREADS = 1
contract: $(STAMP)
	$(BIN)/python -m pytest -n 2 tests/contract/test_plans.py tests/contract/test_copies.py
	$(BIN)/python -m pytest tests/contract/test_runs.py

# Make what is shipped again: the corpora, with synthesisers (GPL) that nothing else needs, and the models.
synthesisers: $(STAMP)
	$(BIN)/uv pip install --quiet --python $(BIN)/python $(SYNTHESISERS)

synthetic-ema synthetic-ema-disjoint synthetic-tone synthetic-parallel: synthesisers
	$(BIN)/snakemake --cores $(CORES) $(subst -,_,$@)

# The shipped weights are those of a CPU, whose arithmetic differs from a GPU's.
models: synthesisers
	CUDA_VISIBLE_DEVICES= $(BIN)/snakemake --cores $(CORES) --configfile config/shipped_models.yaml -- ship_models

clean:
	rm -rf results .snakemake
