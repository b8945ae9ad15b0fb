# Everything a user or CI runs. Each target sets the project up first where needed; `make help` lists them.
SHELL := /bin/bash
VENV := $(CURDIR)/.venv
READY := $(VENV)/.sequoia/ready-$(or $(LAUNCHER),horovod)
SETUP := requirements.txt setup.py pyproject.toml $(wildcard conf/setup/*.py conf/setup/*.sh conf/setup/*.txt) conf/setup/cxx-gnu20

# spark-submit and horovodrun start the Python that they find first. The set-up itself keeps the user's PATH.
RUN := PATH="$(VENV)/bin:$$PATH"
export LAUNCHER

.DEFAULT_GOAL := help
.PHONY: help setup bench-data bench-gpu bench-train bench-tricks demo dist horovod-nccl test test-remote test-runtime lint types picture clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: $(READY) ## make .venv: packages, Delta's jars, Horovod (LAUNCHER=torchrun or single: without Horovod)
	@echo "setup: up to date"

$(READY): $(SETUP)
	@bash conf/setup/setup.sh

demo: $(READY) ## run the whole road: generated reviews, or RAW=<folder> CATEGORY=<name>; WORKSPACE=, LAUNCHER=, CONFIG=
	@$(RUN) sequoia demo $(if $(RAW),--raw "$(RAW)") $(if $(CATEGORY),--category "$(CATEGORY)") \
		$(if $(WORKSPACE),--workspace "$(WORKSPACE)") $(if $(LAUNCHER),--launcher "$(LAUNCHER)") \
		$(if $(CONFIG),--config "$(CONFIG)")

# Whole files go to one process, as their fixtures are dear; in their order, or the longest would come last.
test: $(READY) ## all tests, two processes of them at a time, or TESTS=<files or pytest options>
	@$(RUN) python -m pytest $(or $(TESTS),-n 2 --dist loadfile --no-loadscope-reorder)

dist: ## pack the code for spark-submit --py-files: dist/sequoia-<version>.zip
	@$(or $(wildcard $(VENV)/bin/python),python3) conf/setup/code_zip.py

test-remote: $(READY) ## the road on an object store (moto speaks S3); fetches the S3 jars first, 280 MB
	@$(RUN) python conf/setup/s3_jars.py >/dev/null
	@$(RUN) python -m pytest -m remote $(TESTS)

test-runtime: ## the road on the packages of Databricks Runtime 15.4 LTS ML, in .venv-runtime (6 GB, kept)
	@bash conf/setup/setup.sh --runtime
	@PATH="$(CURDIR)/.venv-runtime/bin:$$PATH" .venv-runtime/bin/python -m pytest $(or $(TESTS),tests/test_road.py \
		tests/training tests/distributed tests/test_doctor.py tests/test_doctor_elsewhere.py)

horovod-nccl: $(READY) ## replace .venv's Horovod by one with NCCL, for NVIDIA GPUs (5 minutes, kept)
	@$(RUN) python conf/setup/horovod_nccl.py

lint: $(READY) ## ruff: rules and format
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

types: $(READY) ## mypy, strict
	@$(RUN) mypy

bench-data: $(READY) ## time the data plane beside DuckDB and polars, ROWS=23000000 ratings lines, WORKSPACE=<folder>
	@$(RUN) python tests/benchmarks/data_plane $(if $(ROWS),--rows $(ROWS)) \
		$(if $(WORKSPACE),--workspace "$(WORKSPACE)") $(ARGS)

bench-train: $(READY) ## time training beside RePlay, RecTools and RecBole, SEQUENCES=<file>, WORKSPACE=<folder>; an hour
	@$(RUN) python tests/benchmarks/training_plane/compare.py $(if $(SEQUENCES),--sequences "$(SEQUENCES)") \
		$(if $(WORKSPACE),--workspace "$(WORKSPACE)") $(ARGS)

bench-tricks: $(READY) ## time what each trick of training brings, SEQUENCES=<file>, WORKSPACE=<folder>; 20 minutes
	@$(RUN) python tests/benchmarks/training_plane/tricks.py $(if $(SEQUENCES),--sequences "$(SEQUENCES)") \
		$(if $(WORKSPACE),--workspace "$(WORKSPACE)") $(ARGS)

bench-gpu: $(READY) ## time training on a GPU: steps, utilisation, a million items; SEQUENCES=<file>, WORKSPACE=<folder>
	@$(RUN) python tests/benchmarks/training_plane/gpu.py $(if $(SEQUENCES),--sequences "$(SEQUENCES)") \
		$(if $(WORKSPACE),--workspace "$(WORKSPACE)") $(ARGS)

picture: $(READY) ## take the README's picture of the demo's report, or of WORKSPACE=<folder>'s
	@$(RUN) python notebooks/images/take.py "$(or $(WORKSPACE),.workspace/demo)"

clean: ## remove build outputs and the tools' caches; .venv and .workspace stay
	rm -rf build dist lib/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis spark-warehouse metastore_db derby.log
	find . -path ./.venv -prune -o -path ./.workspace -prune -o -name __pycache__ -type d -exec rm -rf {} +
