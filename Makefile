# chartserve: everything that is done to the repository. Needs Go, git and make.

GO      ?= go
export GO
TOOL     = $(GO) tool -modfile=$(CURDIR)/test/tools/go.mod

# The modules that hold Go code: the server's, and those under test/. New ones
# join by themselves.
MODFILES = $(shell git ls-files -co --exclude-standard -- go.mod '*/go.mod')
MODULES  = $(dir $(or $(MODFILES),$(error git does not list the files of this folder)))
CODE     = $(filter-out test/tools/,$(MODULES))

# $(call each,FOLDERS,COMMAND): COMMAND in each of the folders; the first failure ends it.
each = @for m in $(1); do echo "$$m: $(2)"; (cd $$m && $(2)) || exit 1; done

# The commit goes into the binary where git can tell it: not so in an exported tree.
VCS = $(shell git rev-parse --verify --quiet HEAD >/dev/null 2>&1 && [ -z "$$(git rev-parse --show-cdup)" ] && echo true || echo false)

BIN = bin/chartserve

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/chartserve, linked to no library of this machine
	CGO_ENABLED=0 $(GO) build -buildvcs=$(VCS) -trimpath -o $(BIN) ./cmd/chartserve

.PHONY: dist
dist: ## dist/, what people install: make dist VERSION=1.2.3 PLATFORMS='linux/amd64 windows/amd64' PARTS='binaries' OUT=dist
	cd packaging && $(GO) run . -out '$(abspath $(or $(OUT),dist))' -version '$(VERSION)' -platforms '$(PLATFORMS)' -only '$(PARTS)'

# Where make install puts things: make install PREFIX=$HOME/.local, or DESTDIR=/tmp/root for a package.
PREFIX = /usr/local
SHARE  = $(DESTDIR)$(PREFIX)/share
MADE   = bin/manual/build
# An exported tree has no commit whose time man pages could have.
EXPORTED = $(if $(filter false,$(VCS)),SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(date +%s)})

.PHONY: install
install: build ## the program, man pages, completions and licences, below PREFIX (/usr/local)
	$(EXPORTED) $(MAKE) --no-print-directory dist PARTS=manual OUT=bin/manual
	umask 022; install -d '$(DESTDIR)$(PREFIX)/bin' '$(SHARE)/bash-completion/completions' '$(SHARE)/zsh/site-functions' \
	  '$(SHARE)/fish/vendor_completions.d' '$(SHARE)/doc/chartserve' '$(SHARE)/man/man1' '$(SHARE)/man/man5' '$(SHARE)/man/man7'
	install -m 644 $(MADE)/completions/chartserve '$(SHARE)/bash-completion/completions/'
	install -m 644 $(MADE)/completions/_chartserve '$(SHARE)/zsh/site-functions/'
	install -m 644 $(MADE)/completions/chartserve.fish '$(SHARE)/fish/vendor_completions.d/'
	for n in 1 5 7; do install -m 644 $(MADE)/man/*.$$n "$(SHARE)/man/man$$n/" || exit 1; done
	install -m 644 LICENSE NOTICE README.md CHANGELOG.md '$(SHARE)/doc/chartserve/'
	install -m 644 cmd/chartserve/licenses.txt '$(SHARE)/doc/chartserve/THIRD_PARTY_LICENSES'
	install -m 755 $(BIN) '$(DESTDIR)$(PREFIX)/bin/chartserve'

.PHONY: uninstall
uninstall: ## remove what install put below PREFIX
	rm -rf '$(DESTDIR)$(PREFIX)/bin/chartserve' '$(SHARE)/bash-completion/completions/chartserve' '$(SHARE)/zsh/site-functions/_chartserve' \
	  '$(SHARE)/fish/vendor_completions.d/chartserve.fish' '$(SHARE)/doc/chartserve' '$(SHARE)/man/man'[157]/chartserve[-.]*

# make exports PATH to what it runs: the one that it was started with is put back.
ifneq ($(filter module,$(MAKECMDGOALS)),)
MODULE := $(PATH)
override PATH := $(shell [ "$$PATH" = '$(MODULE)' ] && exec /usr/bin/env -i /bin/sh -lc 'echo "$$PATH"'; echo "$$PATH")
endif

.PHONY: module
module: ## set the module's path everywhere: make module PATH=example.org/x/chartserve
	packaging/module.sh '$(MODULE)'

.PHONY: licenses
licenses: ## what "chartserve licenses" prints, of the modules that are linked
	cd packaging && $(GO) test -run=TestLicenses . -update

.PHONY: serve
serve: build ## serve the sample charts on http://localhost:8879/charts
	bin/chartserve serve charts

.PHONY: test
test: ## unit tests and the commands' scripts: quick, nothing else needed
	$(call each,. packaging test/corpus test/bench,$(GO) test ./...)

.PHONY: e2e
e2e: build ## the server against real Helm 2, 3 and 4, registry clients and Chromium (put into bin/ the first time: minutes)
	test/clients.sh
	test/browser.sh
	test/machine.sh
	test/qemu.sh
	cd test/e2e && $(GO) test -count=1 -timeout=20m ./...
	cd test/charts && $(GO) test -count=1 -timeout=10m ./...
	cd test/browser && $(GO) test -count=1 -timeout=10m ./...
	$(MAKE) --no-print-directory dist PLATFORMS='linux/amd64 linux/arm64' OUT=bin/dist
	cd test/dist && DIST='$(CURDIR)/bin/dist' $(GO) test -count=1 -timeout=10m ./...
	cd test/docs && $(GO) test -count=1 -timeout=10m ./...

.PHONY: docs
docs: build ## the command blocks of the pages, or of one: make docs PAGE=docs/access.md
	test/clients.sh
	cd test/docs && $(GO) test -count=1 -v -run 'TestPages/$(PAGE)' .

.PHONY: reference
reference: ## docs/reference and docs/config.schema.json: what is generated from the code
	$(GO) test -count=1 -run 'Reference|ConfigSchema' ./cmd/chartserve ./internal/httpapi -update

.PHONY: examples
examples: build ## examples/kubernetes/chartserve.yaml, of the chart
	test/clients.sh
	cd test/charts && $(GO) test -count=1 -run=TestKubernetes . -update

.PHONY: screenshots
screenshots: build ## docs/pictures: the pages as README and docs show them
	test/browser.sh
	cd test/browser && SCREENSHOTS='$(CURDIR)/docs/pictures' $(GO) test -count=1 -run=TestScreenshots ./...

.PHONY: check
check: fmt tidy vet cross lint vuln race ## all that must hold before a commit is pushed
	test/fuzz.sh 3s
	cd test/loaders && $(GO) test -count=1 -timeout=20m ./...
	cd test/torture && $(GO) test -count=1 -timeout=20m ./...

.PHONY: fmt
fmt: ## gofmt has nothing to change
	@files=$$(git ls-files -co --exclude-standard -- '*.go') && ugly=$$(gofmt -l $$files) || exit 1; \
	  [ -z "$$ugly" ] || { echo "not gofmt-ed:"; echo "$$ugly"; exit 1; }

.PHONY: tidy
tidy: ## go.mod and go.sum of every module are complete and lean
	$(call each,$(MODULES),$(GO) mod tidy -diff)

.PHONY: vet
vet: ## go vet
	$(call each,$(CODE),$(GO) vet ./...)

.PHONY: cross
cross: ## go vet as on the other systems that it is for, with what make dist compiles
	@for system in windows/amd64 darwin/arm64 freebsd/amd64 linux/arm; do \
	  echo "cross: $$system"; GOOS=$${system%/*} GOARCH=$${system#*/} GOARM=6 CGO_ENABLED=0 $(GO) vet -trimpath ./... || exit 1; done

.PHONY: lint
lint: ## staticcheck
	$(call each,$(CODE),$(TOOL) staticcheck ./...)

.PHONY: vuln
vuln: ## govulncheck; says so when its database can't be reached
	@test/vuln.sh

.PHONY: race
race: ## the tests under the race detector; says so when there is no C compiler for it
	@if command -v "$$($(GO) env CC)" >/dev/null; then echo "$(GO) test -race ./..."; $(GO) test -race ./...; \
	  else echo "race: SKIPPED, the race detector needs a C compiler ($$($(GO) env CC))"; fi

.PHONY: fuzz
fuzz: ## every fuzz target for a minute: make fuzz, or test/fuzz.sh 10m
	test/fuzz.sh 1m

.PHONY: torture
torture: build ## attack the server for hours: 1,000 hard kills, hostile files and clients (docs/reliability.md)
	test/fuzz.sh 10m
	TORTURE=long $(GO) test -count=1 -timeout=24h -run 'Faults|Killed|OneTruth' -v ./internal/store ./internal/repo ./internal/layout ./internal/httpapi
	cd test/loaders && CHARTSERVE='$(CURDIR)/bin/chartserve' TORTURE=long $(GO) test -count=1 -timeout=24h -v ./...
	cd test/torture && CHARTSERVE='$(CURDIR)/bin/chartserve' TORTURE=long $(GO) test -count=1 -timeout=24h -v ./...
	test/qemu.sh
	test/wine.sh
	$(MAKE) --no-print-directory dist OUT=bin/dist
	cd test/dist && TORTURE=long $(GO) test -count=1 -timeout=24h -run 'Processors|Windows|Reproducible' -v ./...
	test/clients.sh
	test/cluster.sh
	cd test/charts && TORTURE=long $(GO) test -count=1 -timeout=1h -run TestCluster .

# Neither is part of check: what they tell depends on the machine.
.PHONY: bench
bench: build ## measure against every peer: docs/benchmarks.md (20 minutes, more the first time; ROWS=1,5b RUNS=3 OUT=FILE for a part)
	cd test/bench && $(GO) run . -rows '$(ROWS)' -runs $(or $(RUNS),5) -out '$(abspath $(OUT))'

.PHONY: bench-go
bench-go: ## the Go benchmarks of two commits, by benchstat: make bench-go BASE=main [NEW=HEAD COUNT=8 BENCH=Pack]
	@COUNT='$(COUNT)' BENCH='$(BENCH)' PKG='$(PKG)' test/bench-go.sh '$(or $(BASE),HEAD)' '$(NEW)'

.PHONY: clean
clean: ## remove what build, dist, serve, e2e and bench made; the clients in bin/ stay
	rm -rf bin/chartserve bin/bench bin/browser bin/dist bin/manual dist .chartserve
