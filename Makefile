# Everything that people and CI run. `make` alone lists it.

FOR   ?= 30s
CHAOS ?=
BENCH ?= all

.PHONY: help demo test lint bench soak

help:
	@echo 'make demo            run the whole pipeline on this machine for $(FOR) and check every total (FOR=10s, CHAOS=1)'
	@echo 'make test            all that CI runs: format, vet, lint, tests with -race against the real servers'
	@echo 'make soak            run the simulator on every consumer for $(FOR) each and count what differed (FOR=1h)'
	@echo 'make bench           measure: BENCH=decode, units, coldstart or memory; all of them by default'

demo: have-go
	go run ./cmd/sluice demo --for $(FOR) $(if $(CHAOS),--chaos)

test: lint
	go vet ./...
	go test -race -timeout 14m ./...

# One package after the other, so that a failure shows at once and no two share the machine.
soak: have-go
	go test -p 1 -v -count=1 -timeout 0 -run '^TestSimulator$$' ./consumers/leaderboard -simulator.for=$(FOR)

# The linter's own dependencies stay out of the product's go.mod.
LINT = go tool -modfile=tools/go.mod golangci-lint

lint: have-go
	$(LINT) fmt --diff
	$(LINT) run

BENCHES = decode units coldstart memory

bench: $(if $(filter all,$(BENCH)),$(BENCHES:%=bench-%),bench-$(BENCH))

bench-decode: have-go
	go run ./shared/change/decodebench

bench-units: have-go
	go test -run '^$$' -bench Units -benchtime 1x ./consumers/leaderboard

bench-coldstart: have-go
	go test -run '^$$' -bench ColdStart -benchtime 30x ./consumers/leaderboard

bench-memory: have-go
	go test -run '^$$' -bench Memory -benchtime 1x -timeout 30m ./consumers/leaderboard

.PHONY: have-go $(BENCHES:%=bench-%)
have-go:
	@command -v go >/dev/null || { echo 'Go 1.26 or later is needed (go.dev/doc/install).' >&2; exit 1; }
