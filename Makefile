# The commands of this project. Each sets up .venv first when it has to.
#   make report     measure, judge, render; prints where the HTML is
#   make test       the quick tests, in parallel: 8 minutes on two cores
#   make test-all   these and the slow ones: processes killed, networks cut, browsers, real measuring
#   make check      format, lint, types, the rules of the house
#   make lab        open JupyterLab on the start notebook
#   make docs       the documentation as a site with a search, in dist/docs
#   make setup      only that
#   make test-tensorflow   the scoring engines on TensorFlow and LiteRT, in a .venv of their own

PYTHON ?= python3
PROFILE ?= quick
SUITES ?=
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TENSORFLOW_VENV := .venv.tensorflow

# Hundreds of tests start Python: without its caches each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

SLOW := slow or alone or browser or network

.PHONY: report test test-slow test-beside test-alone test-all test-tensorflow lab docs check setup lock clean

report: $(READY)
	@id=$$(mktemp) && trap 'rm -f "$$id"' EXIT && \
		$(BIN)/veperf run $(SUITES) --profile $(PROFILE) --id-file "$$id" && \
		$(BIN)/veperf site >/dev/null && \
		$(BIN)/veperf report "$$(cat "$$id")" && \
		$(BIN)/veperf site

test: $(READY)
	@$(BIN)/python -m pytest -m "not ($(SLOW))" -n $(JOBS) --dist worksteal --hypothesis-profile quick

test-slow: test-beside test-alone

test-beside: $(READY)
	@$(BIN)/python -m pytest -m "($(SLOW)) and not alone" -n $(JOBS) --dist worksteal

test-alone: $(READY)
	@$(BIN)/python -m pytest -m alone

test-all: test test-slow

# Some 2 GB are installed, which nothing else needs. Not from the lock: it has no extras.
test-tensorflow:
	@test -x $(TENSORFLOW_VENV)/bin/python || $(PYTHON) -m venv $(TENSORFLOW_VENV)
	@$(TENSORFLOW_VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		-e '.[tensorflow,litert]' pytest pytest-timeout hypothesis
	@$(TENSORFLOW_VENV)/bin/python -m pytest \
		tests/unit/workloads/verification/test_scoring_libraries.py

lab: $(READY)
	@$(BIN)/veperf lab

# Without network; a link or a reference that leads nowhere is an error.
docs: $(READY)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo dist/docs/index.html

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
		--generate-hashes --no-header --no-annotate --no-emit-index-url \
		--quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) $(TENSORFLOW_VENV)

$(READY): requirements.lock pyproject.toml $(wildcard hatch_build.py veperf/_native/src/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "veperf needs Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what requirements.lock names into $(VENV) (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
