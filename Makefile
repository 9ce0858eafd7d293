# callgate: `make help` lists what there is.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

export CGO_ENABLED ?= 0

GO        ?= go
TOOL      := $(GO) tool -modfile=tools/go.mod
FUZZTIME  ?= 10s
LIVETIME  ?= 1m
RACETIME  ?= 10m
BENCHTIME ?= 1s
COUNT     ?= 6
RUNSC     ?= v0.0.0-20260905035102-160fafc42237
TESTFLAGS ?=
VERSION   := $(shell git describe --always --dirty 2>/dev/null || echo devel)
PURE      := ./abi ./event ./filter ./gate/... ./policy/...

.PHONY: help build demo test test-own test-race test-user test-kernels test-kernel-6.1 test-kernel-6.12 \
        test-kernel-arm64 test-kernel-no-userns setup fuzz bench bench-peers \
        race-files lint fmt generate generated facts tidy cross floors check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/callgate: one static program
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/callgate ./cmd/callgate

demo: build ## run an untrusted-looking program bare and behind the gate, side by side
	@$(GO) run ./examples/demo bin/callgate

setup: ## install what the tests run (Debian, as root; otherwise only says what is missing)
	@.ci/packages

test: setup test-own test-race test-user ## every test: as you, with the race detector, and (if you are root) as an ordinary user

test-own: ## the tests as whoever you are
	$(GO) test -count=1 $(TESTFLAGS) ./...

test-race: ## the tests with the race detector (needs gcc)
	CGO_ENABLED=1 $(GO) test -count=1 -race ./...

test-user: ## the tests as an ordinary user, in a copy of the tree (needs root)
	@if [ "$$(id -u)" = 0 ]; then .ci/as-user $(GO) test -count=1 ./...; \
	else echo "test-user: you are an ordinary user already; run as root to see the rest"; fi

test-kernels: test-kernel-6.1 test-kernel-6.12 test-kernel-arm64 test-kernel-no-userns ## the tests on other kernels, in machines that qemu emulates (Debian; needs qemu-system-x86, qemu-system-arm)

test-kernel-6.1: # Landlock ABI 2, control groups of version 2, x32, modules
	$(GO) run ./internal/cmd/vmtest -short $(VMFLAGS)

test-kernel-6.12: # Landlock ABI 6
	$(GO) run ./internal/cmd/vmtest -short -kernel linux-image-6.12-amd64 $(VMFLAGS)

test-kernel-arm64:
	$(GO) run ./internal/cmd/vmtest -short -arch arm64 $(VMFLAGS)

test-kernel-no-userns: # an ordinary user may not create namespaces
	$(GO) run ./internal/cmd/vmtest -short -user -append sysctl.kernel.unprivileged_userns_clone=0 $(VMFLAGS)

race-files: ## exchange paths, links and folders under every open for RACETIME (default 10m a race)
	CALLGATE_RACE=$(RACETIME) $(GO) test -count=1 -v -timeout 0 -run 'TestRaces$$' ./internal/guard/files

fuzz: ## run every fuzz test for FUZZTIME (default 10s), those of live programs behind patterns for LIVETIME (1m)
	@$(GO) list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | while read -r package; do \
	  $(GO) test -list '^Fuzz' "$$package" | { grep '^Fuzz' || true; } | while read -r name; do \
	    time=$(FUZZTIME); case "$$package" in */guard/files) time=$(LIVETIME);; esac; \
	    $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime "$$time" -fuzzminimizetime 10x "$$package"; \
	  done; \
	done

bench: ## what callgate itself costs; BASE=FILE compares with an earlier dist/bench.txt, STRICT=1 fails on a missed bar
	@mkdir -p dist && rm -f dist/bench.txt
	$(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) -count $(COUNT) ./... | { grep -vE '^(\?|ok|PASS)' || true; } | tee dist/bench.txt
	@$(GO) run ./bench $(if $(FIFO),-fifo) $(if $(STRICT),-strict) -lines dist/bench.txt calls notify opens load
	@if [ -n "$(BASE)" ]; then $(TOOL) benchstat "$(BASE)" dist/bench.txt; fi

bench-peers: build dist/runsc ## callgate beside bwrap, runc, runsc, libseccomp and bare programs: the tables of docs/benchmarks.md
	@rm -f dist/bench-peers.txt
	@$(GO) run ./bench $(if $(FIFO),-fifo) $(if $(STRICT),-strict) $(if $(DOC),-into docs/benchmarks.md) -runsc dist/runsc -lines dist/bench-peers.txt start phases calls notify opens load work

dist/runsc:
	@mkdir -p dist
	GOBIN=$(CURDIR)/dist $(GO) install gvisor.dev/gvisor/runsc@$(RUNSC) || echo "bench-peers: no runsc: the benchmarks go on without"

lint: ## gofmt, gofumpt, go vet, staticcheck
	@unformatted=$$(gofmt -l . && $(TOOL) gofumpt -l .); \
	  if [ -n "$$unformatted" ]; then echo "not formatted (run make fmt):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

fmt: ## format everything as lint wants it
	$(TOOL) gofumpt -w .

generate: ## write the generated files anew
	$(GO) generate ./...

generated: ## generate, and fail if a committed file was stale
	@before=$$(mktemp); trap 'rm -f "$$before"' EXIT; \
	  git ls-files -z -- ':(glob)**/z*' | xargs -0r sha256sum >"$$before"; \
	  $(GO) generate ./...; \
	  sha256sum --check --quiet "$$before" || { echo "generated files were stale: commit them as they are now"; exit 1; }; \
	  new=$$(git ls-files --others --exclude-standard -- ':(glob)**/z*'); \
	  if [ -n "$$new" ]; then echo "generated files not committed:"; echo "$$new"; exit 1; fi

facts: ## the tables of calls, constants and errnos are what Debian's kernel sources say (needs linux-source-6.1)
	$(GO) run ./internal/cmd/mkabi extract -check

tidy: ## fail if go.mod names too much or too little
	$(GO) mod tidy -diff

cross: ## the other architectures compile, and the pure packages compile on other systems
	GOARCH=arm64 $(GO) vet ./...
	GOARCH=riscv64 $(GO) vet ./...
	GOOS=darwin GOARCH=arm64 $(GO) vet $(PURE)
	GOOS=windows GOARCH=amd64 $(GO) vet $(PURE)

floors: ## imports point down
	$(GO) test -count=1 ./internal/floors

check: lint tidy generated facts floors cross ## everything but the tests

clean: ## remove what build and bench left
	rm -rf bin dist
