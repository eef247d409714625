# Everything that people and CI run. `make` alone lists it.

FOR   ?= 30s
CHAOS ?=
BENCH ?= all

# As the functions are built, so that what both need is compiled once. The race detector alone needs cgo. Without paths in what is
# compiled, tests that work on a copy of the checkout needn't compile it again.
export CGO_ENABLED = 0
export GOFLAGS := $(GOFLAGS) -trimpath

.PHONY: help demo test test-short proof proof-race proof-whole proof-stacks lint bench soak mutants

help:
	@echo 'make demo            run the whole pipeline on this machine for $(FOR) and check every total (FOR=10s, CHAOS=1)'
	@echo 'make test            what each commit runs: format, vet, lint, every test once against the real servers'
	@echo 'make proof           what CI runs besides: the race detector, every schedule, all mutants, deployments with the SAM CLI'
	@echo 'make soak            run every suite of the simulator for $(FOR) each and count what differed (FOR=1h)'
	@echo 'make mutants         take out the guards of replication both ways by last writer, one at a time: the simulator must notice'
	@echo 'make bench           measure: BENCH=decode, units, late, growth, throughput, rank, replication, search, badges, coldstart, memory or newcomer; all of them by default'

demo: have-go
	go run ./cmd/sluice demo --for $(FOR) $(if $(CHAOS),--chaos)

# What each commit runs: every test once, without the parts that package shared/consumertest/proof leaves to make proof. The
# linter, whose govet is go vet, is compiled and runs beside the tests, which mostly wait for servers. What both need is compiled
# before: two go commands side by side would each compile it.
test: have-go
	@$(COMPILE)
	@$(MAKE) --no-print-directory -j2 lint test-short

# The tests of all packages share one server of each kind.
test-short:
	go run ./deploy/local/servers/servertest/share $(GOTEST) -short -vet=off -p 4 ./cli ./deploy/local/stack ./consumers/... ./...

# The rest, as jobs side by side, since the tests of whole stacks mostly wait. One has the race detector, the longest package
# first. One has every schedule, every small world and all mutants, without the detector. One has the tests of whole stacks, here and
# deployed with the SAM CLI, most of which leave the detector to a few.
proof: have-go
	@$(MAKE) --no-print-directory -j3 proof-race proof-whole proof-stacks

proof-race:
	CGO_ENABLED=1 $(GOTEST) -race ./cli ./consumers/... ./...

proof-stacks:
	$(GOTEST) -p 1 ./cli ./cli/scaffold ./deploy

# Only the tests of files that use the simulator or its mutants: the other job has the others.
WHOLE = $(shell git grep -lE '"sluice/shared/consumertest/simulator(/mutant)?"' -- '*_test.go' ':!docs')
proof-whole:
	$(GOTEST) -p 1 -run "^($$(sed -nE 's/^func (Test[A-Za-z0-9]+)\(t .*/\1/p' $(WHOLE) | sort -u | paste -sd'|'))$$" $(addprefix ./,$(sort $(dir $(WHOLE))))

# GOGC: collecting garbage would be a tenth of the tests' work and a fifth of the compiler's.
GOTEST = env GOGC=400 go test -timeout 40m
COMPILE = GOGC=400 go list -export ./... >/dev/null

# One package after the other, so that a failure shows at once and no two share the machine.
soak: have-go
	go test -p 1 -v -count=1 -timeout 0 -run '^TestSimulator' ./shared/consumertest/simulator ./consumers/leaderboard ./consumers/replication ./consumers/search ./consumers/search/ops ./consumers/badges -simulator.for=$(FOR)

# Guards whose absence takes the simulator long to notice.
mutants: have-go
	go test -tags mutants -timeout 60m -run 'BothWays$$' ./consumers/replication

# The linter's own dependencies stay out of the product's go.mod. Not go tool, which ignores -trimpath and so would compile the
# standard library a second time.
LINT = GOGC=400 go run -modfile=tools/go.mod github.com/golangci/golangci-lint/v2/cmd/golangci-lint

lint: have-go
	$(LINT) fmt --diff
	$(LINT) run --allow-parallel-runners

BENCHES = decode units late growth throughput rank replication search badges coldstart memory newcomer

bench: $(if $(filter all,$(BENCH)),$(BENCHES:%=bench-%),bench-$(BENCH))

bench-decode: have-go
	go run ./shared/change/decodebench

bench-units: have-go
	go test -run '^$$' -bench 'Units$$' -benchtime 1x ./consumers/leaderboard

bench-late: have-go
	go test -run '^$$' -bench UnitsLate -benchtime 1x ./consumers/leaderboard

# Over 300,000 writes: some ten minutes.
bench-growth: have-go
	go test -run '^$$' -bench 'UnitsHot|UnitsPlayers' -benchtime 1x -timeout 60m ./consumers/leaderboard

bench-throughput: have-go
	go test -run '^$$' -bench Throughput -benchtime 1x ./consumers/leaderboard

bench-rank: have-go
	go test -run '^$$' -bench Rank -benchtime 1x -timeout 30m ./consumers/leaderboard

bench-replication: have-go
	go test -run '^$$' -bench 'Copy|Backfill|Units' -benchtime 1x ./consumers/replication ./consumers/replication/ops

bench-search: have-go
	go test -run '^$$' -bench 'Document|Throughput' -benchtime 1x -timeout 30m ./consumers/search

# Over 200,000 writes for the players with 100,000 plays: some minutes.
bench-badges: have-go
	go test -run '^$$' -bench Units -benchtime 1x -timeout 30m ./consumers/badges
	go test -run '^$$' -bench Earned ./consumers/badges/rule

bench-coldstart: have-go
	go test -p 1 -run '^$$' -bench ColdStart -benchtime 30x ./consumers/leaderboard ./consumers/replication ./consumers/search ./consumers/badges

# The whole local stack, several times: some minutes.
bench-newcomer: have-go
	go test -run '^$$' -bench Newcomer -benchtime 5x -timeout 30m ./cli

# Over a million changes: some fifteen minutes. Then 10,000 batches with rejects, retries and new items for each consumer.
MEMORY = go test -p 1 -run '^$$' -timeout 60m ./consumers/leaderboard ./consumers/replication ./consumers/search ./consumers/badges
bench-memory: have-go
	$(MEMORY) -bench 'BenchmarkMemory' -benchtime 1x
	$(MEMORY) -bench TroubledMemory -benchtime 10000x

.PHONY: have-go $(BENCHES:%=bench-%)
have-go:
	@command -v go >/dev/null || { echo 'Go 1.26 or later is needed (go.dev/doc/install).' >&2; exit 1; }
