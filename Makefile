# The two commands that matter: `make demo` shows everything, `make test` checks everything.
# Needs Debian 12 (or alike) with Python 3.11, git and make; the rest is installed where that is allowed.
SHELL := /bin/sh
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
BIN := .venv/bin
export PYTHON

.PHONY: help demo demo-reset run test soak lint messages environment environment-dev

help:
	@echo "make demo        a demonstration lab with two real OctoPrint servers on http://127.0.0.1:$(PORT)"
	@echo "make demo-reset  empties the demonstration"
	@echo "make run         the installation for one lab (HOST=, PORT=)"
	@echo "make test        installs what the tests need, then every check and test"
	@echo "make soak        every fault case with its full count, for hours, resumable (CASES=\"3 4\", LANES=3, FRESH=1)"
	@echo "make lint        the checks without the tests"
	@echo "make messages    compiles the translations"

environment:
	@.ci/environment requirements.txt

environment-dev:
	@.ci/environment requirements-dev.txt

messages: environment
	@.ci/messages

# `exec` leaves one process to receive Ctrl-C and the end of make itself.
demo: environment messages
	@.ci/system demo
	@exec $(BIN)/python -m fablab.demo --port $(PORT)

demo-reset: environment
	@$(BIN)/python -m fablab.demo --reset

run: environment messages
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@exec $(BIN)/python manage.py serve --migrate --host $(HOST) --port $(PORT)

test:
	@.ci/system test
	@$(MAKE) --no-print-directory environment-dev messages
	@exec .ci/test

# First what touches the database on PostgreSQL, with every parameter. Then the cases: goes on where it was stopped; what
# is done stands in var/soak, the result in docs/reliability.md.
soak:
	@.ci/system test
	@$(MAKE) --no-print-directory environment-dev messages
	@$(if $(CASES),,.ci/with-postgres $(BIN)/python -m pytest -q --database-only --thorough --reuse-db \
		-m "not browser and not octoprint and not soak")
	@exec $(BIN)/python -m tests.faults.soak $(if $(FRESH),--fresh) $(if $(LANES),--lanes $(LANES)) $(CASES)

lint: environment-dev
	@exec .ci/test lint
