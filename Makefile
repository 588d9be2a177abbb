# make run: sft at work on real input; on a terminal its full-screen interface, ready to click.  make test: the tests.  Both set themselves up first; they need Python 3.11 and make.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOCK := requirements-dev.lock
WORKERS ?= 2
# Tests that start processes wait for them: of two workers on two cores three tenths of the time was nobody's.
LONG_WORKERS ?= $(shell expr $(WORKERS) + 1)
PYTEST_ARGS ?=
CAMPAIGN_ARGS ?=

# The reader of a failure wants the program's words, not a list of sub-makes.
MAKEFLAGS += --no-print-directory
# Where Python may not keep what it compiled, every worker and every process that a test starts compiles it all anew.
unexport PYTHONDONTWRITEBYTECODE
# Whoever has nothing left to do takes from the end of the other's list.
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK)

.PHONY: docs screenshots snapshots help run test test-long search mutants check format-check lint types imports format torture resume backups faults bench bench-ui bench-scale bench-ledger fuzz migration lock clean

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## run        set up and show sft at work: a private server and three people; to explore on a terminal, as a script elsewhere
run: $(VENV)/.stamp
	$(BIN)/sft demo

## test       set up and run the tests
test: $(VENV)/.stamp-dev
	$(PYTEST) $(PYTEST_ARGS)

## test-long  what takes long by its nature: many processes, the interface over real servers and on terminals, large files, keys at full cost, every picture
test-long: $(VENV)/.stamp-dev
	$(PYTEST) --numprocesses $(LONG_WORKERS) -m long $(PYTEST_ARGS)

## search     the tests of properties, each on thousands of inputs that no run before has seen
search: $(VENV)/.stamp-dev
	HYPOTHESIS_PROFILE=search $(PYTEST) -m hypothesis $(PYTEST_ARGS)

## mutants    break one guard after another, in copies of the tree: the tests must notice each
mutants: $(VENV)/.stamp-dev
	$(BIN)/python tests/campaigns/mutants.py --workers $(WORKERS) $(CAMPAIGN_ARGS)

## check      all that a change must pass: format, lint, types, import contracts, tests
check: format-check lint types imports test

format-check: $(VENV)/.stamp-dev
	$(BIN)/ruff format --check .

lint: $(VENV)/.stamp-dev
	$(BIN)/ruff check .

types: $(VENV)/.stamp-dev
	$(BIN)/mypy

imports: $(VENV)/.stamp-dev
	$(BIN)/lint-imports

## format     write what format-check wants
format: $(VENV)/.stamp-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

## torture    flip every bit of an object, kill the server at random, two hundred times, an upgrade, a rotation and a rebuild fifty times (CAMPAIGN_ARGS=--help)
torture: $(VENV)/.stamp-dev
	$(BIN)/python tests/campaigns/vault_bits.py
	$(BIN)/python -m tests.campaigns.upgrades
	$(BIN)/python tests/campaigns/torture.py $(CAMPAIGN_ARGS)
	$(BIN)/python -m tests.campaigns.upkeep_kills

## resume     kill client and server in the middle of transfers, a hundred times: each is whole in the end, and little moves twice
resume: $(VENV)/.stamp-dev
	$(BIN)/python tests/campaigns/resume.py $(CAMPAIGN_ARGS)

## backups    kill backups at random, fifty times, and put back what is there; CAMPAIGN_ARGS=--files=1000000: beside transfers
backups: $(VENV)/.stamp-dev
	$(BIN)/python -m tests.campaigns.backup $(CAMPAIGN_ARGS)

## faults     let every call on files fail, one and two at a time, in all that a home goes through; and some by strace, in real processes
faults: $(VENV)/.stamp-dev
	$(BIN)/python -m tests.campaigns.faults $(CAMPAIGN_ARGS)
	$(BIN)/python -m tests.campaigns.injected

## bench      measure sft against OpenSSH, rclone and the bare job (CAMPAIGN_ARGS=--small: a look; --keep: into the README)
bench: $(VENV)/.stamp-dev
	$(BIN)/python -m tests.campaigns.bench $(CAMPAIGN_ARGS)

## bench-ui   measure how soon the UI answers and what that costs, among 100,000 files and beside full-speed transfers
bench-ui: $(VENV)/.stamp-dev
	$(BIN)/python tests/campaigns/ui.py $(CAMPAIGN_ARGS)

## bench-scale measure a server with 1,000,000 files and 10,000 people (CAMPAIGN_ARGS=--small: within two minutes)
bench-scale: $(VENV)/.stamp-dev
	$(BIN)/python tests/campaigns/scale.py $(CAMPAIGN_ARGS)

## bench-ledger measure the ledger at ten million leaves and a million slots (CAMPAIGN_ARGS="--mutations 1000000": changed proofs instead)
bench-ledger: $(VENV)/.stamp-dev
	$(BIN)/python -m tests.campaigns.ledger $(CAMPAIGN_ARGS)

## fuzz       a hundred thousand frames, before and after login
fuzz: $(VENV)/.stamp-dev
	$(BIN)/python tests/campaigns/fuzz.py $(CAMPAIGN_ARGS)

## screenshots draw the pictures of the README anew
screenshots: $(VENV)/.stamp-dev
	$(BIN)/python tests/tui/screenshots.py

## snapshots  draw every screen anew as text, where a change of one was meant; look at the difference, then commit it
snapshots: $(VENV)/.stamp-dev
	SFT_RENEW_SNAPSHOTS=1 $(BIN)/python -m pytest --quiet -m "long or not long" tests/tui/test_snapshots.py

## docs       build the operator's guide, a site of plain files, in build/site
docs: $(VENV)/bin/python pyproject.toml $(LOCK)
	$(PIP) --editable '.[docs]'
	$(BIN)/mkdocs build --quiet --strict --config-file docs/site/mkdocs.yml

## migration  start a numbered migration: make migration NAME="add quota"
migration: $(VENV)/.stamp-dev
	@test -n "$(NAME)" || { echo 'Say what it does: make migration NAME="add quota"'; exit 2; }
	$(BIN)/alembic revision --message "$(NAME)" \
	    --rev-id "$$(printf %04d $$(( $$(ls migrations/versions/[0-9]*.py | wc -l) + 1 )))"

## lock       write the exact versions that the tests run with, from the newest that the bounds allow
lock:
	rm -rf $(VENV)-lock
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,docs]'
	{ sed -n '/^#/p' $(LOCK); $(VENV)-lock/bin/python -m pip freeze --exclude-editable; } > $(LOCK).new
	mv $(LOCK).new $(LOCK)
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "sft needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.stamp: $(VENV)/bin/python pyproject.toml $(LOCK)
	$(PIP) --editable .
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/bin/python pyproject.toml $(LOCK)
	$(PIP) --editable '.[dev]'
	@touch $(VENV)/.stamp $@
