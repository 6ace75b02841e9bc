# Sentence Reports. "make help" lists what there is to do.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := --no-deps --require-hashes
# TORCH=any takes whatever build of PyTorch pip finds, CUDA included, where no CPU build can be had.
TORCH  ?= cpu

.DEFAULT_GOAL := reports
.PHONY: bench reports report preview new check lab test test-slow lint lock setup clean help

reports: setup  ## render every set that changed, and the index (the default)
	@$(BIN)/sentence-reports run

# The file of the set that SET names.
FILE = $(or $(wildcard params/$(SET).yaml params/$(SET).yml),params/$(SET).yaml)

report: setup  ## render one set: make report SET=blog
	@$(BIN)/sentence-reports run $(if $(SET),$(FILE),$(error which set? make report SET=blog))

preview: setup  ## show the reports in a browser, kept up to date as you write: make preview SET=blog
	@$(BIN)/sentence-reports preview $(if $(SET),$(FILE))

new: setup  ## start a set of your own: make new SET=mine
	@$(BIN)/sentence-reports new $(or $(SET),$(error which name? make new SET=mine))

check: setup  ## look for mistakes in every set, run nothing
	@$(BIN)/sentence-reports check

lab: setup  ## open a copy of the notebook in JupyterLab: make lab SET=blog
	@$(BIN)/sentence-reports lab $(SET)

# More at once would need more memory than a laptop has: each has its own kernels and browser.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist worksteal

test: $(VENV)/.dev  ## run the tests
	@$(BIN)/pytest $(PARALLEL)

test-slow: $(VENV)/.dev  ## run the tests that take minutes
	@$(BIN)/pytest -m slow $(PARALLEL)

bench: setup  ## time 1, 8 and 32 sets beside the stock command lines, about half an hour
	@$(BIN)/python benchmarks/speed.py

lint: $(VENV)/.dev  ## ruff, mypy, codespell; and the notebook holds no output
	@$(BIN)/ruff check sentence_reports tests benchmarks notebooks
	@$(BIN)/ruff format --check sentence_reports tests benchmarks
	@$(BIN)/mypy
	@$(BIN)/codespell $$(git ls-files '*.py' '*.md' '*.yaml' '*.ipynb' Makefile)
	@$(BIN)/nbstripout --verify --keep-id notebooks/*.ipynb

lock: $(VENV)/.dev  ## choose the newest versions again and write the requirements files
	@$(call compile,--upgrade --group build,requirements.txt)
	@$(call compile,--group build --group dev -c requirements.txt,requirements-dev.txt)
compile = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-package torch --custom-compile-command "make lock" pyproject.toml $(1) -o $(2)

setup: $(VENV)/.package  ## build .venv with the exact versions of the requirements files

# From nothing each time a requirements file changed: what is no longer asked for does not stay.
$(VENV)/.setup: requirements-torch.txt requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: Python 3.11 or newer is needed; found: $$($(PYTHON) --version 2>&1). Another one: make PYTHON=python3.12" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "make: $(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV), once. The README says how much is downloaded."
	@$(install_torch_$(TORCH))
	@$(PIP) install $(LOCKED) -r requirements.txt
	@touch $@

# By itself, since it takes a second: pyproject.toml says which entry points there are.
$(VENV)/.package: $(VENV)/.setup pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(PIP) check
	@touch $@

install_torch_cpu = $(PIP) install $(LOCKED) --retries 0 --timeout 15 \
	--extra-index-url https://download.pytorch.org/whl/cpu -r requirements-torch.txt || { \
	echo "make: no CPU build of PyTorch 2.13.0 could be had for this machine. Look at pip's lines above: with a network" \
	"it comes from download.pytorch.org. To take the build that pip finds instead (on Linux with CUDA, several" \
	"gigabytes, no hashes checked): make TORCH=any" >&2; exit 1; }
install_torch_any = $(PIP) install torch==2.13.0

$(VENV)/.dev: $(VENV)/.setup requirements-dev.txt | $(VENV)/.package
	@echo "Installing the tools for tests and lint, once, about 90 MB."
	@$(PIP) install --quiet $(LOCKED) -r requirements-dev.txt
	@$(PIP) check
	@touch $@

clean:  ## remove the reports and the environment
	rm -rf $(VENV) reports/*.html reports/*.ipynb reports/*.csv reports/.sentence-reports.* reports/failed

help:  ## this list
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
