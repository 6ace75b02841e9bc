# Sentence Reports. "make help" lists what there is to do.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LOG    := $(VENV)/setup.log
PIP    := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := --no-deps --require-hashes
# TORCH=any installs whatever build of PyTorch pip finds, CUDA included, if there is no CPU build.
TORCH  ?= cpu

.DEFAULT_GOAL := reports
.PHONY: bench reports report preview new check lab test test-slow lint lock setup clean help

reports: setup  ## make every report that is out of date, and the index (the default)
	@$(BIN)/sentence-reports run

# The file of the set that SET names.
FILE = $(or $(wildcard params/$(SET).yaml params/$(SET).yml),params/$(SET).yaml)

report: setup  ## make one report: make report SET=blog
	@$(BIN)/sentence-reports run $(if $(SET),$(FILE),$(error which set? make report SET=blog))

preview: setup  ## show the reports in a browser and update them as you write: make preview SET=blog
	@$(BIN)/sentence-reports preview $(if $(SET),$(FILE))

new: setup  ## create params/mine.yaml: make new SET=mine
	@$(BIN)/sentence-reports new $(or $(SET),$(error which name? make new SET=mine)) && \
	  echo "With make:  make report SET=$(SET)  or  make preview SET=$(SET)"

check: setup  ## validate every set without running it
	@$(BIN)/sentence-reports check

lab: setup  ## open a copy of the notebook in JupyterLab: make lab SET=blog
	@$(BIN)/sentence-reports lab $(SET)

# More would need more memory than a laptop has: each worker has its own kernels and browser.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist worksteal

test: $(VENV)/.dev  ## run the tests
	@$(BIN)/pytest $(PARALLEL)

test-slow: $(VENV)/.dev  ## run the tests that take minutes
	@$(BIN)/pytest -m slow $(PARALLEL)

bench: setup  ## time 1, 8 and 32 sets against the stock command lines (half an hour)
	@$(BIN)/python benchmarks/speed.py

lint: $(VENV)/.dev  ## run ruff, mypy and codespell; check that notebooks hold no output
	@$(BIN)/ruff check sentence_reports tests benchmarks notebooks
	@$(BIN)/ruff format --check sentence_reports tests benchmarks
	@$(BIN)/mypy
	@$(BIN)/codespell $$(git ls-files '*.py' '*.md' '*.yaml' '*.ipynb' Makefile)
	@$(BIN)/nbstripout --verify --keep-id notebooks/*.ipynb

lock: $(VENV)/.dev  ## update the requirements files to the newest versions
	@$(call compile,--upgrade --group build,requirements.txt)
	@$(call compile,--group build --group dev -c requirements.txt,requirements-dev.txt)
compile = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-package torch --custom-compile-command "make lock" pyproject.toml $(1) -o $(2)

setup: $(VENV)/.package  ## build .venv with the exact versions of the requirements files

# What pip has to say goes to a log; a failed step shows the end of it.
logged = >> $(LOG) 2>&1 || { tail -n 15 $(LOG) >&2; echo "make: installing failed; all of pip's output: $(LOG)" >&2; exit 1; }

# Only an environment that make built is ever removed: the marker is written before anything else.
MADE_HERE = { [ ! -e $(VENV) ] || [ -e $(VENV)/.made-by-make ] || [ -e $(VENV)/.setup ]; }

# Built anew whenever a requirements file changed: what is no longer listed does not stay installed.
$(VENV)/.setup: requirements-torch.txt requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: Python 3.11 or newer is required; found: $$($(PYTHON) --version 2>&1). Choose another: make PYTHON=python3.12" >&2; exit 1; }
	@$(MADE_HERE) || { \
	  echo "make: $(VENV) was not made by make, so it is left alone. Rename it, or choose another folder: make VENV=.venv-make" >&2; exit 1; }
	@rm -rf $(VENV) && mkdir $(VENV) && touch $(VENV)/.made-by-make
	@$(PYTHON) -m venv $(VENV) >> $(LOG) 2>&1 || { rm -rf $(VENV); \
	  echo "make: $(PYTHON) cannot create a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV): about 480 MB to download, once. Details: $(LOG)"
	@$(install_torch_$(TORCH))
	@$(PIP) install $(LOCKED) -r requirements.txt $(logged)
	@touch $@

# A step of its own, since it takes a second: pyproject.toml lists the commands.
$(VENV)/.package: $(VENV)/.setup pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable . $(logged)
	@$(PIP) check $(logged)
	@touch $@

install_torch_cpu = $(PIP) install $(LOCKED) --retries 0 --timeout 15 \
	--extra-index-url https://download.pytorch.org/whl/cpu -r requirements-torch.txt >> $(LOG) 2>&1 || { \
	tail -n 15 $(LOG) >&2; \
	echo "make: no CPU build of PyTorch 2.13.0 is available for this machine; pip's output is above and in $(LOG)." \
	"It comes from download.pytorch.org. To install the build that pip finds instead (on Linux with CUDA, several" \
	"gigabytes, hashes not checked): make TORCH=any" >&2; exit 1; }
install_torch_any = $(PIP) install torch==2.13.0 $(logged)

$(VENV)/.dev: $(VENV)/.setup requirements-dev.txt | $(VENV)/.package
	@echo "Installing the tools for tests and lint: about 145 MB to download, once."
	@$(PIP) install $(LOCKED) -r requirements-dev.txt $(logged)
	@$(PIP) check $(logged)
	@touch $@

clean:  ## remove the reports that were made here, and the environment
	@if [ -x $(BIN)/sentence-reports ]; then $(BIN)/sentence-reports clean; \
	  else echo "make: reports/ is left as it is: telling what was made there needs the environment (make setup)"; fi
	@if $(MADE_HERE); then rm -rf $(VENV); else echo "make: $(VENV) was not made by make, so it is left alone"; fi

help:  ## show this list
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
