# Every target sets up .venv by itself. Nothing here needs root, Docker or a server started by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test up lint bench drill clean

demo: $(STAMP)
	$(BIN)/aiqleads demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

up: $(STAMP)
	$(BIN)/aiqleads up

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.deliveries share
	$(BIN)/python -m benchmarks.deliveries beside
	$(BIN)/python -m benchmarks.delivery_drill
	$(BIN)/python -m benchmarks.rescoring

drill: $(STAMP)
	$(BIN)/python -m benchmarks.crash_drill
	$(BIN)/python -m benchmarks.doors_drill kill
	$(BIN)/python -m benchmarks.doors_drill meet
	$(BIN)/python -m benchmarks.doors_drill sync
	$(BIN)/python -m benchmarks.schema_drill

clean:
	rm -rf $(VENV)

$(STAMP): setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(STAMP)
