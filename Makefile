# Everything that people and CI run. `make` alone lists it.

FOR   ?= 30s
CHAOS ?=
BENCH ?= all

.PHONY: help demo test lint bench

help:
	@echo 'make demo            run the whole pipeline on this machine for $(FOR) and check every total (FOR=10s, CHAOS=1)'
	@echo 'make test            all that CI runs: format, vet, lint, tests with -race against the real servers'
	@echo 'make bench           measure: BENCH=decode, units, memory or coldstart; all of them by default'

demo: have-go
	go run ./cmd/sluice demo --for $(FOR) $(if $(CHAOS),--chaos)

test: lint
	go vet ./...
	go test -race -timeout 14m ./...

# The linter's own dependencies stay out of the product's go.mod.
LINT = go tool -modfile=tools/go.mod golangci-lint

lint: have-go
	$(LINT) fmt --diff
	$(LINT) run

bench: have-go
	go run ./deploy/local/bench $(BENCH)

.PHONY: have-go
have-go:
	@command -v go >/dev/null || { echo 'Go 1.26 or later is needed (go.dev/doc/install).' >&2; exit 1; }
