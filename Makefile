# `make demo` to see it, `make test` to trust it; `make help` lists the rest.
# On Debian 12, Ubuntu 24.04 or newer, python3, git and make are enough to begin with.

PYTHON ?= python3
PORT ?= 7070
ARGS ?=
SECONDS ?= 60
# Test files at a time, as many as there are cores; 0: one after the other, in this process.
WORKERS ?= logical
TOGETHER := -n $(WORKERS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder
export PYTHON

# Set, as images of containers like to have it, every program that a test starts would compile all
# that it imports anew: three quarters of its start.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
.DEFAULT_GOAL := install
CHECKS := check-pyright check-mypy check-ruff check-imports
.PHONY: install demo test test-interop check $(CHECKS) format bench bench-writer bench-ingest bench-scale bench-live bench-ui fuzz screenshots proto tables clean help dev

install: ## Make .venv with the board in it (the default)
	@.ci/prepare server
	@echo "Ready. Next: 'make demo', or '$(BIN)/orgboard serve LOGDIR'."

demo: ## Train a small model and watch it in the browser (PORT=7070)
	@.ci/prepare server
	@exec $(BIN)/orgboard demo --port $(PORT)

test: dev ## Run all tests, on real SQLite, PostgreSQL and Chromium (ARGS=...)
	@.ci/prepare parts
	@$(BIN)/python -m pytest $(TOGETHER) $(ARGS)

test-interop: ## Run the tests that meet PyTorch, TensorFlow, JAX and other frameworks (ARGS=...)
	@.ci/prepare interop
	@.venv-interop/bin/python -m pytest $(TOGETHER) tests/interop $(ARGS)

check: dev ## Lint, format, types twice, directions of imports
	@$(MAKE) --no-print-directory -j 2 $(CHECKS)

check-pyright:
	$(BIN)/pyright

check-mypy:
	$(BIN)/mypy

check-ruff:
	$(BIN)/ruff check
	$(BIN)/ruff format --check

check-imports:
	$(BIN)/lint-imports

format: dev ## Put the code into its one format
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: dev ## Measure throughput and sizes
	@$(BIN)/python tests/bench

bench-writer: ## Measure our writer beside torch's and tensorboardX's
	@.ci/prepare interop
	@.venv-interop/bin/python tests/bench writer

bench-ingest: dev ## Measure ingest beside TensorBoard's readers (ARGS=--quick)
	@.ci/prepare interop
	@.ci/prepare parts
	@PYTHONPATH=tests $(BIN)/python tests/bench/ingest.py $(ARGS)

bench-scale: dev ## Measure ingest and queries at sizes that few have (ARGS=--quick)
	@.ci/prepare parts
	@PYTHONPATH=tests $(BIN)/python tests/bench/scale.py $(ARGS)

bench-live: dev ## Measure the time from a flush to the curve in the browser
	@.ci/prepare parts
	@$(BIN)/python tests/bench live

bench-ui: dev ## Measure pages in Chromium beside TensorBoard's (ARGS="--only cards --runs 3")
	@.ci/prepare interop
	@.ci/prepare parts
	@PYTHONPATH=tests $(BIN)/python tests/bench/ui.py $(ARGS)

fuzz: dev ## Fuzz the compiled core, with sanitizers (SECONDS=60)
	@mkdir -p .fuzz/corpus
	@PYTHONPATH=tests $(BIN)/python tests/fuzz/seeds.py .fuzz/corpus
	@clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-o .fuzz/core tests/fuzz/core_fuzz.c -lm
	@cd .fuzz && ./core -max_total_time=$(SECONDS) -max_len=8192 -print_final_stats=1 corpus

screenshots: dev ## Take the README's pictures anew, of the demo
	@.ci/prepare parts
	@PYTHONPATH=tests $(BIN)/python tests/screenshots.py

proto: ## Generate the event format's Python again
	@.ci/proto schema

tables: dev ## Record again what the revisions make of an empty database
	@PYTHONPATH=tests $(BIN)/python tests/support/recorded_tables.py

clean: ## Remove the environments and every cache
	rm -rf .venv .venv-interop build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find schema writer ingest dashboard tests -name __pycache__ -prune -exec rm -rf {} +

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

dev:
	@.ci/prepare dev
