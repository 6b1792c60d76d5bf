# Two commands do everything on a fresh machine:
#   make scan VIDEO=clip.mp4   create the environment, install the base package, scan (no VIDEO: a demo)
#   make test                  install the rest, run lint, types, import contracts and all tests
#   make paper-smoke           train every config of configs/paper for two steps and export it
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: scan test lint paper-smoke clean

$(VENV)/.base: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	touch $@

$(VENV)/.test: $(VENV)/.base
	$(PIP) -e '.[train,serve,scale,test]'
	touch $@

scan: $(VENV)/.base
ifdef VIDEO
	$(BIN)/seamline scan "$(VIDEO)"
else
	$(BIN)/seamline scan --demo --report demo/report.html
endif

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: lint
	$(BIN)/python scripts/run_tests.py

paper-smoke: $(VENV)/.test
	$(BIN)/python scripts/paper_smoke.py

clean:
	rm -rf $(VENV) demo
