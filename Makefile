# The two commands of the README. Each does all the set-up it needs, once: the virtual environment lies in $(VENV).
VENV ?= .venv
PYTHON ?= python3
export PATH := $(abspath $(VENV))/bin:$(PATH)

.PHONY: repro report cost times sizes experiments test faults lint audit format bench lock

# As dvc repro, but with JOBS stages at once: one more than there are cores, if it is not given.
repro: $(VENV)/installed
	python -m winnow.repro $(if $(JOBS),--jobs $(JOBS))

# The page with all results; make report COMPARE=main makes another, with the results of that revision beside these.
report: $(VENV)/installed
	winnow report $(COMPARE)

# What make repro would run now, and what that takes: time, memory, disk.
cost: $(VENV)/installed
	winnow cost $(if $(JOBS),--jobs $(JOBS))

# How long every stage took when it last ran.
times: $(VENV)/installed
	python -m winnow.repro.times

# What the results of every stage take up in the cache.
sizes: $(VENV)/installed
	python -m winnow.repro.sizes

# dvc exp show makes a column of every parameter and every input: here the parameters that differ have a row each.
experiments: $(VENV)/installed
	python -m winnow.repro.experiments

test: lint
	python -m pytest --numprocesses auto --dist worksteal

# What docs/faults.md shows: kills, full disks, flipped bits and others, about ten minutes on two free cores. make faults
# FAULTS="--seed 7 --only kill --number 12" replays one.
faults: $(VENV)/installed
	python -m tests.faults $(FAULTS)

lint: $(VENV)/installed
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-cache

# Known vulnerabilities of what is installed, and secrets in git: SECURITY.md.
audit: $(VENV)/installed
	python .ci/audit.py

format: $(VENV)/installed
	ruff check --fix .
	ruff format .

# Each script measures something against a named alternative in the same run; on a machine that does nothing else.
# startup.py needs what dvc repro leaves.
bench: $(VENV)/installed
	$(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python --constraint requirements.lock '.[bench]'
	python benchmarks/grand.py
	python benchmarks/criteria.py
	python benchmarks/smaller.py
	python benchmarks/training.py
	python benchmarks/memory.py
	python benchmarks/million.py
	python benchmarks/streaming.py
	python benchmarks/startup.py
	python benchmarks/pipeline.py
	python benchmarks/cluster.py
	python benchmarks/hessian.py
	python benchmarks/detection.py
	python benchmarks/selection.py
	python benchmarks/report.py

# The newest versions that fit pyproject.toml, with their hashes, the same for Linux and macOS and every Python: who
# installs them computes the same bytes on the same kind of machine.
lock: $(VENV)/installed
	$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-annotate --custom-compile-command 'make lock' --extra dev \
		--output-file requirements.lock pyproject.toml

# uv installs torch's large wheels in a fraction of pip's time, and shares them between environments. Compiled at once,
# as torch takes 6 s to import otherwise where Python may not write bytecode.
$(VENV)/installed: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or later is needed; set PYTHON to one, as in: make PYTHON=python3.12 test")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip uv
	$(VENV)/bin/uv pip install --quiet --compile-bytecode --python $(VENV)/bin/python --require-hashes \
		--requirements requirements.lock
	$(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python --no-deps --no-build-isolation --editable .
	touch $@
