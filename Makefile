# The commands of the order platform. Each installs what it needs into .venv first.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
PORT ?= 4566
STACK ?= dev
DRY_RUN ?=
ATTACKS ?=
ORDERS ?= 1000000

BIN := .venv/bin
UV := $(BIN)/uv
UV_VERSION := $(shell sed -n 's/^uv==//p' requirements.in)
# Byte code at installation halves the time of the first start.
export UV_COMPILE_BYTECODE := 1
export UV_NO_PROGRESS := 1
export PYTHONDONTWRITEBYTECODE :=
LOCK := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-header
SOURCES := __main__.py settings.py cli components functions local operations policy tests
# A stack without a file of its own has every rule mandatory. STACK may have its organisation before it.
POLICY := --policy-pack policy $(addprefix --policy-pack-config ,$(wildcard policy/enforcement/$(notdir $(STACK)).json))

.PHONY: help up order down status test prove lint format preview deploy redrive bench cost record generate lock

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

up: .venv/installed-local ## start the platform on this machine (PORT=4566)
	@$(BIN)/python -m local up --port $(PORT)

order: .venv/installed-local ## place an order on it and show its way
	@$(BIN)/python -m local order --port $(PORT)

status: .venv/installed-local ## what runs on this machine, and where
	@$(BIN)/python -m local status --port $(PORT)

down: .venv/installed-local ## stop it, and delete its data
	@$(BIN)/python -m local down --port $(PORT)

test: .venv/installed-dev .venv/layers/installed .venv/asl/installed ## everything that must pass
	@$(BIN)/python -m components.packaging arm64
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

prove: .venv/installed-dev .venv/layers/installed .venv/asl/installed ## attack the platform's promises, in full (ATTACKS=R1,S3)
	@$(BIN)/python -m components.packaging arm64
	$(BIN)/python -m pytest tests/proof -n 2 --dist loadgroup --verbose --dose full --proof .build/proof.md $(if $(ATTACKS),--attacks $(ATTACKS))

lint: .venv/installed-dev
	$(BIN)/ruff format --check --quiet $(SOURCES)
	$(BIN)/ruff check --quiet $(SOURCES)
	$(BIN)/basedpyright $(SOURCES)

format: .venv/installed-dev ## format the code
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

preview: .venv/installed-local .venv/layers/installed ## pulumi preview (STACK=dev)
	@$(BIN)/python -m operations.prerequisites $(STACK)
	pulumi preview --stack $(STACK) --diff $(POLICY)

deploy: .venv/installed-local .venv/layers/installed ## pulumi up (STACK=dev)
	@$(BIN)/python -m operations.prerequisites $(STACK)
	pulumi up --stack $(STACK) $(POLICY) $(PULUMI_UP_FLAGS)

redrive: .venv/installed-local ## return what lies in the failure queues (STACK=dev, DRY_RUN=1)
	@$(BIN)/python -m operations.redrive $(STACK) --port $(PORT) $(if $(filter-out 0,$(DRY_RUN)),--dry-run)

bench: .venv/installed-dev .venv/layers/installed ## what it takes, beside what one would otherwise write (BENCH_PYTHON=python3.13)
	@PYTHONPATH=policy:functions $(BIN)/python -m tests.bench

cost: .venv/installed-local ## what orders cost on AWS (STACK=prod, ORDERS=1000000)
	@$(BIN)/python -m operations.cost $(STACK) --orders $(ORDERS)

record: .venv/installed-dev ## record anew what an order does, for make cost
	PYTHONPATH=policy:functions $(BIN)/python -m tests.cost.recording

generate: .venv/installed-dev ## write the files that are made from code
	$(BIN)/python settings.py > settings.schema.json
	PYTHONPATH=policy:functions $(BIN)/python -m tests.support.documents

lock: $(UV) ## pin what requirements*.in name
	$(LOCK) --universal --python-version 3.11 requirements-dev.in -o requirements-dev.txt
	$(LOCK) --universal --python-version 3.11 -c requirements-dev.txt requirements-local.in -o requirements-local.txt
	$(LOCK) --universal --python-version 3.11 -c requirements-dev.txt requirements.in -o requirements.txt
	$(LOCK) --python-version 3.13 --python-platform aarch64-manylinux2014 --only-binary :all: \
		$(addprefix --no-emit-package ,boto3 botocore jmespath urllib3 s3transfer python-dateutil six) \
		functions/layers/powertools.in -o functions/layers/powertools.txt

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=/path/to/python3.11")'
	@echo "Installing into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/installed-local: requirements-local.txt | $(UV)
	@echo "Installing the emulator and the program's packages"
	@$(UV) pip install --quiet --require-hashes -r $<
	@touch $@

.venv/installed-dev: requirements-dev.txt | $(UV)
	@echo "Installing the packages of the tests"
	@$(UV) pip install --quiet --require-hashes -r $<
	@touch $@ .venv/installed-local

# Pyodide, which compiles the layers on the Node.js of requirements.in.
.venv/layers/installed: functions/layers/package.json functions/layers/package-lock.json | .venv/installed-local
	@mkdir -p .venv/layers && cp $^ .venv/layers/
	@cd .venv/layers && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-audit --no-fund
	@touch $@

# Node.js comes from PyPI, so that nothing but Python need be there.
.venv/asl/installed: tests/workflow/package.json tests/workflow/package-lock.json | .venv/installed-dev
	@mkdir -p .venv/asl && cp $^ .venv/asl/
	@cd .venv/asl && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-audit --no-fund
	@touch $@
