# The commands of the order platform. Each command first installs what it needs into .venv.
# macOS has GNU Make 3.81, bash 3.2 and BSD tools, so this file uses nothing newer.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two recipes must not install into .venv at the same time.
.NOTPARALLEL:

# The Python that creates .venv. If the variable is empty, tools/install.sh finds a Python.
PYTHON ?=
PORT ?= 4566
STACK ?= dev
DRY_RUN ?=
EMAIL ?=
ADMIN ?=
ATTACKS ?=
IDS ?=
PR ?=
ORDERS ?= 1000000
RATE ?= 150
PULUMI_PREVIEW_FLAGS ?= --diff

BIN := .venv/bin
UV := $(BIN)/uv
UV_VERSION := $(shell sed -n 's/^uv==//p' requirements.in)
# The first command starts in half the time if packages are compiled during their installation.
UV_COMPILE_BYTECODE ?= 1
export UV_COMPILE_BYTECODE
export UV_NO_PROGRESS := 1

# These variables change where packages are installed, which packages are installed, or which Python runs, so the
# commands must not inherit them. Variables for indexes, proxies, certificates, credentials and caches stay, because
# companies need them to reach packages.
unexport VIRTUAL_ENV CONDA_PREFIX CDPATH
unexport PYTHONHOME PYTHONPATH PYTHONPLATLIBDIR PYTHONSAFEPATH PYTHONUSERBASE PYTHONEXECUTABLE __PYVENV_LAUNCHER__
unexport PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX PYTHONOPTIMIZE PYTHONINSPECT PYTHONSTARTUP PYTHONWARNINGS
unexport PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_PYTHON PIP_ISOLATED PIP_REQUIRE_VIRTUALENV PIP_SRC PIP_LOG
unexport PIP_REQUIREMENT PIP_CONSTRAINT PIP_BUILD_CONSTRAINT PIP_EDITABLE PIP_GROUP PIP_NO_DEPS PIP_DRY_RUN PIP_REPORT
unexport PIP_REQUIRE_HASHES PIP_PRE PIP_UPLOADED_PRIOR_TO PIP_NO_BINARY PIP_ONLY_BINARY
unexport PIP_PLATFORM PIP_PYTHON_VERSION PIP_IMPLEMENTATION PIP_ABI
unexport UV_SYSTEM_PYTHON UV_BREAK_SYSTEM_PACKAGES UV_PYTHON UV_PYTHON_PREFERENCE UV_MANAGED_PYTHON UV_NO_MANAGED_PYTHON
unexport UV_PROJECT UV_PROJECT_ENVIRONMENT UV_WORKING_DIR UV_WORKING_DIRECTORY
unexport UV_CONSTRAINT UV_OVERRIDE UV_EXCLUDE UV_EXCLUDE_NEWER UV_BUILD_CONSTRAINT UV_REQUIRE_HASHES UV_NO_VERIFY_HASHES
unexport UV_RESOLUTION UV_PRERELEASE UV_FORK_STRATEGY UV_TORCH_BACKEND UV_NO_BINARY UV_NO_BINARY_PACKAGE UV_NO_SOURCES

CLIENT := clients/typescript
SHOP := examples/storefront
PYTHON_VERSION := $(shell cat .python-version)
LOCK := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-header
# Tests of one file share fixtures, so they run on one worker. By default, xdist starts the files with the most tests
# first, so slow files with few tests would come last.
PARALLEL := -n 3 --dist loadfile --no-loadscope-reorder
# The folders whose tests do more in `make prove` than in `make test`. An attack is only in tests/proof.
PROOFS = tests/proof $(if $(ATTACKS),,tests/engine tests/howto tests/tools/test_bench.py)
QUICK := tests/clients tests/components tests/contracts tests/functions tests/policy tests/rules tests/workflow -m "not emulator"
SOURCES := __main__.py settings.py setting_types.py pulumi_yaml.py cli components contracts emulator_fixes engine functions local operations policy tests tools
# Every rule is mandatory for a stack without an enforcement file. STACK may be ORGANIZATION/STACK. The stacks of pull
# requests, pr-NUMBER, share one file.
NAME := $(notdir $(STACK))
ENFORCEMENT := $(wildcard policy/enforcement/$(NAME).json $(if $(filter pr-%,$(NAME)),policy/enforcement/pr.json))
POLICY := --policy-pack policy $(addprefix --policy-pack-config ,$(firstword $(ENFORCEMENT)))

.PHONY: help up order user frontend storefront down status docs test check prove lint format preview deploy refresh recover destroy up-pr destroy-pr redrive bench cost capacity record generate client lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s%s\n", $$1, $$2 }' Makefile

up: .venv/installed-local ## start the platform on this machine (PORT=4566)
	@$(BIN)/python -m local up --port $(PORT)

order: .venv/installed-local ## place an order and show its way through the platform
	@$(BIN)/python -m local order --port $(PORT)

user: .venv/installed-local ## create a user who can sign in on this machine (EMAIL=ann@example.com, ADMIN=1)
	@$(BIN)/python -m local user --port $(PORT) --email "$(EMAIL)" $(if $(filter-out 0,$(ADMIN)),--admin)

frontend: .venv/installed-local ## write the files that a frontend needs (PORT=4566 on this machine, or STACK=dev)
	@$(BIN)/python -m operations.frontend $(if $(filter file,$(origin STACK)),local,$(STACK)) --port $(PORT)

status: .venv/installed-local ## show what runs on this machine
	@$(BIN)/python -m local status --port $(PORT)

storefront: $(CLIENT)/dist/built $(SHOP)/node_modules/installed ## start the example shop with the local platform (PORT=4566)
	@$(BIN)/python -m operations.storefront --port $(PORT)

down: .venv/installed-local ## stop the platform on this machine and delete its data
	@$(BIN)/python -m local down --port $(PORT)

docs: .venv/openapi/installed ## write the pages of both APIs to .build/docs
	@sh tools/openapi/pages.sh .venv/openapi

test: .venv/installed-dev .venv/asl/installed .venv/openapi/installed .venv/browser/installed $(CLIENT)/dist/built $(SHOP)/node_modules/installed ## run the tests (make prove runs the slowest ones)
	@$(BIN)/python -m components.functions.archives arm64
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest $(PARALLEL)

check: .venv/installed-dev .venv/asl/installed .venv/openapi/installed $(CLIENT)/dist/built $(SHOP)/node_modules/installed ## check format, lint and types, and run the tests that need no emulator
	@$(BIN)/python -m components.functions.archives arm64
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest $(PARALLEL) $(QUICK)

prove: .venv/installed-dev .venv/asl/installed ## attack the guarantees of the platform in full (ATTACKS=stock-race,wrong-tokens)
	@$(BIN)/python -m components.functions.archives arm64
	$(BIN)/python -m pytest $(PROOFS) $(PARALLEL) --verbose --dose full --proof .build/proof.md $(if $(ATTACKS),--attacks $(ATTACKS))

lint: .venv/installed-dev
	$(BIN)/ruff format --check --quiet $(SOURCES)
	$(BIN)/ruff check --quiet $(SOURCES)
	$(BIN)/basedpyright $(SOURCES)
	$(BIN)/zizmor --offline --quiet .github

format: .venv/installed-dev ## format the code
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

preview: .venv/installed-local ## show what a deployment would change (STACK=dev)
	@$(BIN)/python -m operations.prerequisites $(STACK)
	pulumi preview --stack $(STACK) $(POLICY) $(PULUMI_PREVIEW_FLAGS)

deploy: .venv/installed-local ## deploy to AWS (STACK=dev)
	@$(BIN)/python -m operations.prerequisites $(STACK)
	pulumi up --stack $(STACK) $(POLICY) $(PULUMI_UP_FLAGS)

refresh: .venv/installed-local ## report where AWS differs from Pulumi's state, and change nothing (STACK=dev)
	@$(BIN)/python -m operations.drift $(STACK)

recover: .venv/installed-local ## make a stack deployable after an update was killed (STACK=dev, IDS="NAME=ID")
	@$(BIN)/python -m operations.recover $(STACK) $(if $(IDS),--ids $(IDS))

destroy: .venv/installed-local ## delete a stack from AWS, after saying what stays (STACK=dev)
	@$(BIN)/python -m operations.destroy $(STACK)
	pulumi destroy --stack $(STACK) --yes

up-pr: .venv/installed-local ## deploy the stack of a pull request (PR=12)
	@$(BIN)/python -m operations.pull_request_stack prepare "$(PR)"
	@$(MAKE) --no-print-directory deploy STACK=pr-$(PR) PULUMI_UP_FLAGS="--yes $(PULUMI_UP_FLAGS)"
	@$(BIN)/python -m operations.pull_request_stack outputs "$(PR)"

destroy-pr: .venv/installed-local ## delete the stack of a pull request (PR=12)
	@$(BIN)/python -m operations.pull_request_stack remove "$(PR)"

redrive: .venv/installed-local ## send the messages in failure queues back to where they failed (STACK=dev, DRY_RUN=1)
	@$(BIN)/python -m operations.redrive $(STACK) --port $(PORT) $(if $(filter-out 0,$(DRY_RUN)),--dry-run)

bench: .venv/installed-dev ## measure cold starts, orders and archives
	@PYTHONPATH=policy:functions $(BIN)/python -m tools.bench

cost: .venv/installed-local ## calculate what orders cost on AWS (STACK=prod, ORDERS=1000000)
	@$(BIN)/python -m tools.cost.report $(STACK) --orders $(ORDERS)

capacity: .venv/installed-local ## calculate how many orders per second AWS's default quotas carry (STACK=prod, RATE=150)
	@$(BIN)/python -m tools.capacity.report $(STACK) --rate "$(RATE)"

record: .venv/installed-dev ## record the calls of one order again, for make cost
	PYTHONPATH=policy:functions $(BIN)/python -m tools.cost.recording

generate: .venv/installed-dev ## write the generated files and parts of documents
	@mkdir -p .build
	$(BIN)/python settings.py > .build/settings.schema.json && mv .build/settings.schema.json .
	PYTHONPATH=policy:functions $(BIN)/python -m tools.docs.generate

client: $(CLIENT)/node_modules/installed ## generate, format and build the TypeScript client
	@PYTHONPATH=functions $(BIN)/python -m tools.client.generate
	@cd $(CLIENT) && ../../$(BIN)/node node_modules/prettier/bin/prettier.cjs --log-level warn --write .
	@$(MAKE) --no-print-directory $(CLIENT)/dist/built

lock: .venv/made ## pin the packages in requirements*.in
	$(LOCK) --universal --python-version $(PYTHON_VERSION) requirements-dev.in -o requirements-dev.txt
	$(LOCK) --universal --python-version $(PYTHON_VERSION) -c requirements-dev.txt requirements-local.in -o requirements-local.txt
	$(LOCK) --universal --python-version $(PYTHON_VERSION) -c requirements-dev.txt requirements.in -o requirements.txt
	$(LOCK) --python-version $(PYTHON_VERSION) --python-platform aarch64-manylinux2014 --only-binary :all: \
		$(addprefix --no-emit-package ,boto3 botocore jmespath urllib3 s3transfer python-dateutil six) \
		functions/layers/powertools.in -o functions/layers/powertools.txt

# .venv is created again if its creation was interrupted, if its Python is gone, or if the checkout was moved.
AGAIN := $(shell sh tools/install.sh whole >/dev/null 2>&1 || echo again)
.PHONY: again

.venv/made: $(AGAIN)
	@sh tools/install.sh venv "$(PYTHON)" $(UV_VERSION)

.venv/installed-local: requirements-local.txt .venv/made
	@echo "Installing the emulator and the program's packages"
	@sh tools/install.sh packages $<
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/made
	@echo "Installing the packages of the tests"
	@sh tools/install.sh packages $<
	@touch $@ .venv/installed-local

# Node.js comes from PyPI, so a machine needs only Python.
.venv/asl/installed: tests/workflow/package.json tests/workflow/package-lock.json .venv/made | .venv/installed-dev
	@sh tools/install.sh node $(<D) $(@D)
	@touch $@

.venv/openapi/installed: tools/openapi/package.json tools/openapi/package-lock.json .venv/made | .venv/installed-dev
	@echo "Installing the tools for the OpenAPI documents"
	@sh tools/install.sh node $(<D) $(@D)
	@touch $@

$(CLIENT)/node_modules/installed: $(CLIENT)/package.json $(CLIENT)/package-lock.json .venv/made | .venv/installed-dev
	@echo "Installing the packages of the TypeScript client"
	@sh tools/install.sh node $(CLIENT) $(CLIENT)
	@touch $@

# The old output is deleted first, so that no module of a deleted source stays in the package.
$(CLIENT)/dist/built: $(CLIENT)/tsconfig.json $(wildcard $(CLIENT)/src/*.ts $(CLIENT)/src/*/*.ts) $(CLIENT)/node_modules/installed
	@rm -rf $(@D)
	@$(BIN)/node $(CLIENT)/node_modules/typescript/bin/tsc --project $<
	@touch $@

$(SHOP)/node_modules/installed: $(SHOP)/package.json $(SHOP)/package-lock.json .venv/made | $(CLIENT)/dist/built
	@echo "Installing the packages of the shop"
	@sh tools/install.sh node $(SHOP) $(SHOP)
	@touch $@

.venv/browser/installed: tests/browser/package.json tests/browser/package-lock.json .venv/made | .venv/installed-dev
	@sh tools/install.sh node $(<D) $(@D)
	@touch $@
