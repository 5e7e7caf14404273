# Everything is set up in .venv here; `make demo` and `make test` need nothing but Python and pip.
PYTHON ?= python3
VENV := .venv
# "python -m": the start lines of installed scripts break where the path has a space in it
PY := $(VENV)/bin/python

.PHONY: demo test test-slow lint docs bench clean

demo: $(VENV)/.demo
	$(PY) docs/examples/demo.py

# two processes of one thread each: OpenMP waits by spinning, which takes the other's processor
test: $(VENV)/.test
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist worksteal

test-slow: $(VENV)/.test
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -m slow -n 2 --dist worksteal

lint: $(VENV)/.lint
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

# the examples of the gallery are run; what does not run, or links to nothing, is an error
docs: $(VENV)/.docs
	OMP_NUM_THREADS=1 $(PY) -m sphinx -q -W --keep-going -b html docs docs/_build/html
	$(PY) docs/check_links.py docs/_build/html
	@echo "open docs/_build/html/index.html"

bench: $(VENV)/.test
	$(PY) benchmarks/engine.py
	$(PY) benchmarks/journal.py
	$(PY) benchmarks/prefix_cache.py
	$(PY) benchmarks/clusters.py
	$(PY) benchmarks/racing.py
	$(PY) benchmarks/coarse_to_fine.py
	$(PY) benchmarks/bayes.py
	$(PY) benchmarks/default_spaces.py

$(VENV)/.python:
	$(PYTHON) -c "import sys; sys.exit('sklearn_hpt needs Python 3.11 or newer, this is ' + sys.version.split()[0] + '; call make with PYTHON=python3.12, say') if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --upgrade "pip>=25.1"
	touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	$(PY) -m pip install --quiet -c constraints.txt --editable ".[torch,plot]"
	touch $@

$(VENV)/.test: $(VENV)/.demo
	$(PY) -m pip install --quiet -c constraints.txt --group test
	touch $@

$(VENV)/.lint: $(VENV)/.test
	$(PY) -m pip install --quiet -c constraints.txt --group lint
	touch $@

$(VENV)/.docs: $(VENV)/.test
	$(PY) -m pip install --quiet -c constraints.txt --group docs
	touch $@

clean:
	rm -rf $(VENV) build dist demo.png docs/_build docs/auto_examples docs/api/generated docs/api/backreferences
