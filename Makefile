# The four commands of this project. Each sets up .venv first when it has to.
#   make report   measure, judge, render; prints where the HTML is
#   make test     run the tests
#   make lab      open JupyterLab on the start notebook
#   make setup    only that
#   make check    format, lint, types, import directions, notebooks stripped and in step

PYTHON ?= python3
PROFILE ?= quick
SUITES ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: report test lab check setup lock clean

report: $(READY)
	@$(BIN)/veperf run $(SUITES) --profile $(PROFILE)
	@$(BIN)/veperf report last

test: $(READY)
	@$(BIN)/python -m pytest

lab: $(READY)
	@$(BIN)/veperf lab

# Formats in place for people; CI only looks.
check: $(READY)
	@$(BIN)/ruff format $(if $(CI),--check) .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m tests.house

setup: $(READY)

lock: $(READY)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade \
		--quiet --output-file requirements.lock

clean:
	rm -rf $(VENV)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "veperf needs Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what requirements.lock names into $(VENV) (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
