# Coldkms. `make` alone prints this help.

# The signer is checked for what is linked into it; cgo would link libc.
export CGO_ENABLED = 0

BIN      := bin
PROGRAMS := kms-offline kms-online kms-sandbox
FUZZTIME ?= 10s
COIN     ?= BTC
TRANSPORT ?= file

.DEFAULT_GOAL := help
.PHONY: help build man cross test check prove lint vuln race demo bench fuzz clean

help: ## show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the three programs, the node that the sandbox runs, and all licences (NOTICES), into bin/
	@mkdir -p $(BIN)
	go build -trimpath -buildvcs=auto -o $(BIN)/ $(addprefix ./cmd/,$(PROGRAMS))
	go build -trimpath -o $(BIN)/btcd github.com/btcsuite/btcd
	go run ./cmd/testtools/notices $(addprefix $(BIN)/,$(PROGRAMS) btcd) > $(BIN)/NOTICES

man: build ## manual pages of all commands, from the texts of the help, into bin/man/
	@rm -rf $(BIN)/man && mkdir -p $(BIN)/man
	@for p in $(PROGRAMS); do \
		$(BIN)/$$p man --list > $(BIN)/man/list || exit 1; \
		while read -r page; do \
			$(BIN)/$$p man $${page#$$p} > $(BIN)/man/$$(echo $$page | tr ' ' -).1 || exit 1; \
		done < $(BIN)/man/list; \
	done; rm $(BIN)/man/list

# The tools that need a terminal, signals or a database server are for Unix only.
CROSS ?= darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
cross: ## build the programs and vet everything for CROSS (macOS and Windows); a few minutes for each
	@for target in $(CROSS); do \
		echo "$$target"; \
		export GOOS=$${target%/*} GOARCH=$${target#*/}; \
		go build -o /dev/null $(addprefix ./cmd/,$(PROGRAMS)) && go vet ./... || exit 1; \
	done

test: ## all tests, a few minutes on two cores; the last lines name what failed
	@go run ./cmd/testtools/gotest -timeout 20m ./...

check: lint vuln test ## lint, known vulnerabilities, then all tests

prove: ## the long counts, several hours on two cores; writes docs/EVIDENCE.md
	@go run ./cmd/testtools/prove

lint: ## gofmt, go vet, staticcheck, dead code, line length, cognitive complexity
	@test -z "$$(gofmt -l cmd offline online shared)" || { gofmt -l cmd offline online shared; echo "run gofmt -w on these" >&2; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	@go run ./cmd/testtools/lint

vuln: ## known vulnerabilities in what is linked, where the database can be reached
	@go run ./cmd/testtools/lint -vuln

# The packages whose code runs on several goroutines. The race detector is in C.
# It leaves out SQLite, which is transpiled from C and several times as slow with it.
RACE := ./online/... ./offline ./offline/wallet ./shared/parallel ./cmd/internal/qrcli
race: ## the concurrent packages under the race detector, with small counts (needs gcc)
	@CGO_ENABLED=1 go run ./cmd/testtools/gotest -race -gcflags=modernc.org/sqlite/lib=-race=false -short -timeout 10m $(RACE)

demo: build ## the whole loop on this machine (COIN=BTC, LTC, DOGE or BCH; TRANSPORT=file or qr): wallet, payment, air gap, broadcast
	@go run ./cmd/testtools/demo -bin $(BIN) -coin $(COIN) -transport $(TRANSPORT)

bench: ## one table of figures and ratios, measured in one run
	@go run ./cmd/testtools/bench

fuzz: ## every fuzz target for FUZZTIME (10s)
	@for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

clean: ## remove what was built
	rm -rf $(BIN)
