# Two commands are enough: `make run` starts an index, `make test` proves the checkout. The rest is for contributors.
PY := .venv/bin/python
RUN := .venv/.run.stamp
DEV := .venv/.dev.stamp
export EXAMPLES ?= 50
export SECONDS ?= 60
# Where nothing compiled may be kept, every process that tests start compiles all of it again.
unexport PYTHONDONTWRITEBYTECODE
CODE := src tests bench faults fuzz scripts

.PHONY: help run test check bench faults docs fuzz live lock audit build clean

help:
	@echo "make run | test | check | bench | faults | docs | fuzz | live | lock | audit | build | clean"

run: $(RUN)
	@exec scripts/run.sh $(ARGS)

test: $(DEV)
	$(PY) -m pytest -m "not live" -n auto --dist worksteal --durations=15 $(ARGS)

check: $(DEV)
	$(PY) -m ruff check $(CODE)
	$(PY) -m ruff format --check $(CODE)
	$(PY) -m mypy
	.venv/bin/lint-imports --no-cache --no-logo
	$(PY) -m pytest tests/house

bench: $(DEV)
	$(PY) bench/run.py $(ARGS)
	$(PY) bench/site.py $(ARGS)

faults: $(DEV)
	$(PY) faults/run.py $(ARGS)

docs: $(DEV)
	$(PY) -m pytest tests/house/test_docs.py

fuzz: $(DEV)
	-$(PY) -m pip install --disable-pip-version-check --quiet --require-hashes --only-binary :all: -r requirements/fuzz.txt
	$(PY) fuzz/run.py $(ARGS)

live: $(DEV)
	$(PY) -m pytest -m live $(ARGS)

lock: $(DEV)
	scripts/lock.sh

# 1: a weakness is known. 3: it could not be asked, and nothing is known.
audit: $(DEV)
	$(PY) scripts/audit.py $(ARGS)

build: $(DEV)
	scripts/build.sh
	scripts/rebuild.sh

clean:
	rm -rf .venv dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench/results faults/results fuzz/corpus fuzz/crashes

$(RUN): requirements/run.txt requirements/build.txt pyproject.toml scripts/setup.sh
	scripts/setup.sh run

$(DEV): requirements/dev.txt requirements/build.txt pyproject.toml scripts/setup.sh
	scripts/setup.sh dev
