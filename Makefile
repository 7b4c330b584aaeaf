# Everything a person or a machine does with this repository. `make` alone lists it; the work is in scripts/.

.DEFAULT_GOAL := help
.SILENT:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
export SEED SEEDS BASE FAULTS UNTIL TRACE SHRINK PLAN COMPARE DASHBOARD FILTER MINUTES N HOURS SPEED RECORDS FILLS PAST BINARY ONLY BASES FRESH

##@ Use
.PHONY: run
run: ## Start the desk on the simulated exchange: 45 bots, 25 instruments, no key
	scripts/run

.PHONY: build
build: ## Build the release binary with the dashboard in it
	scripts/build

##@ Change
.PHONY: test
test: ## Every test, from nothing: units, properties, docs, end to end, browser
	scripts/test

.PHONY: check
check: ## Formatting, lints, documentation, dependency rules, licences
	scripts/check

.PHONY: fmt
fmt: ## Format Rust and TypeScript in place
	scripts/fmt

##@ Prove
.PHONY: bench
bench: ## Benchmarks, each beside its baseline: all, or FILTER=name
	scripts/bench

.PHONY: sim
sim: ## The whole desk under random faults in virtual time: SEEDS=100, BASE=n; SEED=n, TRACE=1, SHRINK=1; COMPARE=20 builds
	scripts/sim

.PHONY: mutations
mutations: ## Deliberate bugs that the simulator must find: ONLY=name,name, BASES=5
	scripts/mutations

.PHONY: crash
crash: ## SIGKILLs of a live desk at every named point, under faults: N=100 (a night: 2000), SEED=n
	scripts/crash

.PHONY: restart
restart: ## Starts of a desk with a long past: RECORDS=1000000, FILLS=400000
	scripts/restart

.PHONY: soak
soak: ## Random orders of 20 clients: MINUTES=10, SEED=n; a desk under faults: HOURS=6, SPEED=20
	MINUTES=$${MINUTES:-10} scripts/soak

.PHONY: drill
drill: ## Faults of each of eight sources that one desk reads: MINUTES=10
	MINUTES=$${MINUTES:-10} scripts/drill

.PHONY: fuzz
fuzz: ## Fuzz every decoder: SECONDS=n in all, SEED=n
	scripts/fuzz $(or $(SECONDS),60) $(or $(SEED),1)

.PHONY: help
help:
	printf 'Tradewind. make TARGET, where TARGET is one of:\n'
	awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
