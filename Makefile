# make demo  start everything on embedded defaults, send sample mails, show what became of each, stay up (ARGS=--once ends after the table)
# make test  all tests; what this machine lacks is skipped visibly (CLINIGATE_REQUIRE_ALL=1: a skip is a failure)
# make scrubbing  docs/scrubbing.md anew: Clinigate beside mat2, exiftool and ImageMagick, and how fast it is
# make lint  ruff, mypy, import contracts
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=
TESTS  ?=
PYTEST  = $(BIN)/python -m pytest
# Folders without a quick unit test are not even read.
UNIT    = -m "unit and not slow" -n logical $(addprefix --ignore=tests/,e2e chaos bench fuzz)

.PHONY: demo test unit lint bench scrubbing clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/clinigate demo $(ARGS)

# As many at a time as there are cores; what kills processes or takes times runs by itself.
test: $(VENV)/.installed
ifdef TESTS
	$(PYTEST) $(TESTS) $(ARGS)
else
	failed=0; \
	$(PYTEST) $(UNIT) $(ARGS) || failed=1; \
	$(PYTEST) -m "not unit or slow" -n logical --dist loadfile --ignore=tests/chaos --ignore=tests/bench $(ARGS) || failed=1; \
	$(PYTEST) -m "not unit or slow" tests/chaos tests/bench $(ARGS) || failed=1; \
	exit $$failed
endif

unit: $(VENV)/.installed
	$(PYTEST) $(UNIT) $(ARGS)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed
	$(BIN)/python tests/bench/throughput.py $(ARGS)

scrubbing: $(VENV)/.installed
	$(BIN)/python -m tests.bench.scrubbers --write docs/scrubbing.md
	$(BIN)/python -m tests.bench.scrub_speed --write docs/scrubbing.md

clean:
	rm -rf $(VENV) .demo build dist *.egg-info
