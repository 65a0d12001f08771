# Two commands matter: `make demo` and `make test`. Each sets up what it needs; nothing outside this folder is touched.
# PYTHON chooses the interpreter that .venv is made from (3.11 or newer); without it the first one found is taken.

PYTHON ?=
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.set-up
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

# `make test TESTS=tests/portals` runs a part; WORKERS=0 runs in one process, for a debugger.
# Each worker waits for real servers half of its time, so there are more of them than cores.
TESTS    ?= tests
WORKERS  ?= 3
COVERAGE ?= --cov=portals --cov-report=term-missing:skip-covered
PYTEST   := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup lock lint format test demo bench soak fuzz deployment sbom audit clean

help:
	@echo "make demo         the whole bridge on this machine, no account needed (ONCE=1: run a script, check, exit)"
	@echo "make test         lint, types and every test, against a real homeserver, SQLite and PostgreSQL"
	@echo "make bench        speed and memory, as ratios within one run"
	@echo "make soak         the cut-anywhere test, for longer"
	@echo "make fuzz         hostile input for every door (MINUTES=10; FUZZFLAGS=--help: one door, a seed)"
	@echo "make deployment   the steps of image and systemd unit, carried out for real and thrown away; as root, no Docker"
	@echo "make sbom audit   what the product is made of (sbom.json, CycloneDX); known weaknesses of that, asked of PyPI"
	@echo "make setup        .venv with everything in it, $(BIN)/causeway included; a second call does nothing"
	@echo "make lint format  style and types; rewrite to the style"
	@echo "make lock         bring the locks in line with pyproject.toml (LOCKFLAGS=--upgrade: newest versions)"
	@echo "make clean        remove everything that make made"

# The stamp holds the digest of what the environment was made from, so a checkout's file times do not matter.
setup:
	@want=$$(cat requirements-dev.lock pyproject.toml | git hash-object --stdin); \
	test "$$(cat $(STAMP) 2>/dev/null)" = "$$want" && exit 0; \
	set -e; \
	python="$(PYTHON)"; \
	for name in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	  test -n "$$python" && break; \
	  "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && python=$$name; \
	done; \
	test -n "$$python" || { echo "Causeway needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3"; exit 1; }; \
	echo "Setting up $(VENV) with $$($$python --version) (about a minute)"; \
	"$$python" -m venv $(VENV); \
	$(PIP) install --no-deps --require-hashes --only-binary :all: -r requirements-dev.lock; \
	$(PIP) install --no-deps --no-index --no-build-isolation --editable .; \
	echo "$$want" > $(STAMP)

COMPILE := $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-config --no-emit-index-url --no-header --no-annotate --no-strip-extras

lock:
	@test -x $(BIN)/uv || $(MAKE) --no-print-directory setup
	$(COMPILE) $(LOCKFLAGS) pyproject.toml --output-file requirements.lock
	$(COMPILE) $(LOCKFLAGS) pyproject.toml --group dev --constraints requirements.lock --output-file requirements-dev.lock

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is pure is shown whole by its own tests, so these alone are traced: elsewhere tracing takes as long as the tests.
test: lint
ifeq ($(TESTS),tests)
	$(PYTEST) tests/portals $(COVERAGE)
	$(PYTEST) tests --ignore=tests/portals
else
	$(PYTEST) $(TESTS)
endif

demo: setup
	@ONCE=$(ONCE) $(BIN)/python -m tests.demo

bench: setup
	@$(BIN)/python -m tests.bench

soak: setup
	$(BIN)/python -m tests.journeys.soak

MINUTES ?= 10

fuzz: setup
	@$(BIN)/pytest -q --hypothesis-profile=fuzz tests/portals/text
	@$(BIN)/python -m tests.fuzz --minutes $(MINUTES) $(FUZZFLAGS)

deployment: setup
	@$(BIN)/python -m tests.deployment

sbom: setup
	@$(BIN)/python -m tests.house.sbom > sbom.json && echo "sbom.json written"

# The tool is fetched when it is asked for, and no part of the lock that it judges.
audit: setup
	$(BIN)/python -m uv tool run pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock

clean:
	rm -rf $(VENV) sbom.json .state .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage build dist causeway.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
