# What there is to do with this project. `make` lists it.

GO ?= go
# How long each fuzzer runs in `make fuzz`, and how many crashes `make soak` makes.
FUZZTIME ?= 30s
SOAK ?= 200

.PHONY: help
help: ## list what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

.PHONY: build
build: ## build ./ferry
	$(GO) build -trimpath -o ferry ./cmd/ferry

.PHONY: deps
deps: ## install the clients that the tests talk to (Debian, Ubuntu)
	@scripts/deps

.PHONY: test
test: deps ## run every test with the race detector, 10 to 14 minutes (in CI a skipped test fails)
	@scripts/test

.PHONY: check
check: ## formatting, vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "gofmt wants to change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

.PHONY: bench
bench: ## the benchmarks, then the server beside its peers as ratios (root, Debian); run nothing else meanwhile
	$(GO) test -run '^$$' -bench . -benchmem ./...
	bench/run

.PHONY: fuzz
fuzz: ## run each fuzzer for FUZZTIME
	@scripts/fuzz $(FUZZTIME)

.PHONY: soak
soak: deps ## crash the server SOAK times during transfers and look for damage
	FERRY_SOAK=$(SOAK) $(GO) test -race -count=1 -timeout 4h -run 'Crash|Soak' ./internal/interop/...

.PHONY: docs
docs: ## write docs/configuration.md anew from the table of keys
	$(GO) test -count=1 -run TestConfigurationDocs ./internal/config -update

.PHONY: dev
dev: ## serve ./dev-files on loopback: user dev, password dev
	@mkdir -p dev-files
	FERRY_PASSWORD=dev $(GO) run ./cmd/ferry serve dev-files --ftp 127.0.0.1:2121 --user dev --state .dev-state --log-level debug
