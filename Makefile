# Every target installs what it needs where it can, and otherwise says in one line
# what is missing. `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help

STYTCH  := web/node_modules/@stytch/vanilla-js/dist/iife
ASSETS  := internal/idp/assets/stytch-b2b.js internal/idp/assets/stytch-consumer.js

.PHONY: help outdated compare people pictures run build production web test quick check lint generated vulnerabilities bench module chaos crash soak fuzz acceptance clients chromium postgres notices clean firefox attack cluster redis nginx caddy haproxy pgbouncer image release prometheus fish systemd machine qemu

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: web ## everything on this machine: app, emulator, people to sign in as
	@go run ./cmd/guestpass dev

build: web ## the program, as bin/guestpass
	go build -trimpath -o bin/guestpass ./cmd/guestpass

# Linked statically, so that it runs on any Linux, and without what only a debugger reads: a third of the bytes.
production: web ## the program without what is for development, as bin/guestpass-production
	CGO_ENABLED=0 go build -trimpath -tags production -ldflags '-s -w' -o bin/guestpass-production ./cmd/guestpass

# VERSION and COMMIT are for where there is no Git, or no tag of it. No daemon is needed. The same commit gives the same
# bytes, with the same Go.
PACKAGING = go build -C scripts/packaging -o ../../bin/packaging . && bin/packaging $@ \
	  $(if $(VERSION),-version '$(VERSION)') $(if $(COMMIT),-commit '$(COMMIT)')

image: web ## an image for containers, for amd64 and arm64, in bin/image
	@$(PACKAGING)

release: web ## archives for Linux, macOS and Windows, with checksums and what they consist of, in bin/release
	@$(PACKAGING)

web: $(ASSETS) ## what the browser and the tests need, from npm at pinned versions

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or later (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	cd web && npm ci --include=dev --ignore-scripts --no-fund --no-audit --loglevel=error
	@touch $@

internal/idp/assets/stytch-b2b.js: web/node_modules/.package-lock.json
	sed '/^\/\/# sourceMappingURL=/d' $(STYTCH)/b2b/index.js > $@

internal/idp/assets/stytch-consumer.js: web/node_modules/.package-lock.json
	sed '/^\/\/# sourceMappingURL=/d' $(STYTCH)/index.js > $@

acceptance: acceptance/node_modules/.package-lock.json ## clients and linters that others made, for the tests, from npm at pinned versions

acceptance/node_modules/.package-lock.json: acceptance/package.json acceptance/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or later (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	cd acceptance && npm ci --include=dev --ignore-scripts --prefer-offline --no-fund --no-audit --loglevel=error
	@touch $@

clients: web acceptance chromium ## third-party MCP clients, against /mcp, with a person in Chromium where one signs in
	go test ./internal/server -run '^TestRealClient' -v

# SQLite is C put into Go, and its libc with it: the race detector makes them ten times slower, and its findings there
# are not ours. The driver stays watched: it holds copies of the standard library's generic code, which the linker
# may take for everybody.
UNWATCHED := -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false
RACE := GORACE=atexit_sleep_ms=100 go test -race $(UNWATCHED) -timeout 60m

# Modules of their own, as a user's are. The fourth example, in JavaScript, is run by the tests of the server.
EXAMPLES := bookmarks embedded expenses

PICTURES ?= bin/pictures

pictures: web acceptance chromium ## every state of every page, wide and narrow, light and dark, into bin/pictures, and those of the README into docs
	@mkdir -p $(PICTURES)
	go test ./internal/server -run '^TestInABrowserEveryStateIsForEverybody$$' -count 1 -timeout 30m \
	  -args -screenshots $(abspath $(PICTURES)) -readme $(abspath docs)
	@echo "the pictures are in $(PICTURES)"

# Tests that drive browsers, and clients that others made.
BROWSERS := ^Test(EndToEnd|InABrowser|RealClient)

# internal/server, internal/cluster and cli fill the machine alone, and what waits for an answer has to have its share:
# each is run by itself. The instances of internal/cluster are the program as everybody builds it.
# Not watched by the race detector are the tests that drive browsers, which take the machine for themselves, and package
# lint and one test of cli, which compute in one goroutine alone and take a quarter and a tenth of the time without it.
test: web acceptance chromium firefox postgres redis nginx caddy haproxy pgbouncer prometheus fish systemd ## all tests, with real browsers, a real Postgres, a real Redis, real proxies and the race detector
	go build -race $(UNWATCHED) ./...
	$(RACE) -p 2 $$(go list ./... | grep -v '/openapi/lint$$\|/internal/server$$\|/internal/cluster$$\|/cli$$')
	$(RACE) ./cli
	$(RACE) -skip '$(BROWSERS)' ./internal/server
	go test -timeout 60m -run '$(BROWSERS)' ./internal/server
	go test -timeout 60m ./internal/cluster
	go test -timeout 60m ./openapi/lint
	go test -timeout 60m ./cli -run '^TestNoSettingFailsOpen$$'
	@for example in $(EXAMPLES); do go -C examples/$$example test -race $(UNWATCHED) ./... || exit 1; done

# What takes a browser, a database server, a proxy, Node.js or a machine to itself is left out by -short, and attacks by
# their names.
quick: web ## the tests that need nothing else, without the race detector: in about a minute
	go test -short -skip '^TestAttack' ./...

check: lint generated vulnerabilities test ## what CI runs

# gosec leaves out tests, which are hostile on purpose, and the one file that is for production only.
lint: web
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt -w these files: $$unformatted" >&2; exit 1; }
	go vet ./...
	go vet -tags production ./cli ./cmd/guestpass ./openapi/lint
	go vet -C scripts/packaging .
	go tool staticcheck ./...
	go tool staticcheck -tags production ./cli ./cmd/guestpass
	go build -C scripts/gosec -o ../../bin/gosec .
	bin/gosec -test=false ./...
	@go mod tidy -diff >/dev/null || { echo "go.mod is not tidy: run go mod tidy" >&2; exit 1; }
	@for example in $(EXAMPLES); do go -C examples/$$example vet ./... && go -C examples/$$example mod tidy -diff >/dev/null || \
	  { echo "examples/$$example: see go vet, and run go mod tidy there" >&2; exit 1; }; done

generated: web ## generated files are as the code makes them
	@set -o pipefail; scripts/notices.sh | diff -u THIRD_PARTY_NOTICES - >/dev/null || { echo "THIRD_PARTY_NOTICES is out of date: run make notices" >&2; exit 1; }

vulnerabilities: web ## nothing is imported that is known to be vulnerable
	@go run ./scripts/vulnerabilities

outdated: ## what has a newer version than we use; docs/dependencies.md says why some stay
	@scripts/outdated.sh

# PATH on make's command line is also where the recipe would look for programs: the one that make was called with counts.
module: ## another path for the module, everywhere: make module PATH=github.com/you/guestpass
	@test '$(origin PATH)' = 'command line' || { echo 'say which: make module PATH=github.com/you/guestpass' >&2; exit 2; }
	@new='$(PATH)'; PATH=/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin; \
	  if [ -r /proc/$$PPID/environ ]; then PATH=$$(tr '\0' '\n' < /proc/$$PPID/environ | sed -n 's/^PATH=//p' | tail -n 1); fi; \
	  export PATH; unset MAKEFLAGS MAKEOVERRIDES; go run ./scripts/module "$$new"

bench: web redis ## benchmarks; compare ratios of one run, machines differ
	go test -run '^$$' -bench . -benchmem -timeout 90m ./...

PEERS := internal/measure/peers

$(PEERS)/node_modules/.package-lock.json: $(PEERS)/package.json $(PEERS)/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or later (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	cd $(PEERS) && npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
	@touch $@

# The servers that are measured have the first processor, the clients and the emulator the second.
MEASURE = go test -c -o bin/measure.test ./internal/measure && cd internal/measure && \
	taskset --cpu-list 1 ../../bin/measure.test -test.run '^$$' -test.benchtime 1x -test.timeout 3h

compare: web $(PEERS)/node_modules/.package-lock.json ## what a call costs beside express, fastify, Next.js and FastAPI: the table of one run, on a machine with nothing else to do
	@/usr/bin/python3 -c 'import fastapi, jwt, uvicorn' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-fastapi python3-jwt python3-cryptography python3-uvicorn python3-uvloop python3-httptools) >/dev/null; \
	  else echo "FastAPI is missing and left out: sudo apt-get install python3-fastapi python3-jwt python3-cryptography python3-uvicorn" >&2; fi; }
	@mkdir -p bin
	@$(MEASURE) -test.bench Compare -compare $(abspath bin/compare.md) $(if $(BESIDE),-beside $(abspath $(BESIDE)))
	@cat bin/compare.md

PEOPLE_FOR ?= 10m

people: web postgres ## 10,000 people of 200 organizations on one instance, ten minutes on each database, then more until it breaks
	@mkdir -p bin
	@$(MEASURE) -test.bench People -people $(abspath bin/people.md) -people-for $(PEOPLE_FOR)
	@cat bin/people.md

CHAOS_RUNS ?= 20

# The shell is the same engine without windows, which costs a third.
chaos: web ## the end-to-end tests with 5 % of Stytch's answers going wrong, 20 times
	@command -v chromium-headless-shell >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell fonts-dejavu-core) >/dev/null; \
	  else echo "chromium-headless-shell is missing: sudo apt-get install chromium-headless-shell" >&2; exit 1; fi; }
	go test -c -o bin/end-to-end.test ./internal/server
	@cd internal/server && for seed in $$(seq 1 $(CHAOS_RUNS)); do \
	  ../../bin/end-to-end.test -test.run '^TestEndToEnd' -test.timeout 20m -browser chromium-headless-shell -chaos 5 -chaos-seed $$seed || { echo "failed: -chaos-seed $$seed" >&2; exit 1; }; \
	  echo "run $$seed of $(CHAOS_RUNS) passed"; done

CRASHES ?= 200
ROUNDS ?= 1000

crash: web postgres ## kill the server in the middle of writes, fill and break its disk, repeat calls at once
	@command -v strace >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends strace) >/dev/null; \
	  else echo "strace is missing: sudo apt-get install strace" >&2; exit 1; fi; }
	go test ./internal/server -run '^Test(NothingAcknowledgedIsLost|AFullDisk|ADiskThatDoesNotKeep|ADatabaseThatGoesAway)$$' \
	  -v -timeout 60m -args -crashes $(CRASHES)
	go test ./resources/tasks -run '^TestARepeatedCreateIsNotDoneTwice$$' -v -timeout 60m -args -rounds $(ROUNDS)

RESTARTS ?= 20
DARK ?= 30s

soak: web postgres ## trouble at Stytch, slow clients, overload, restarts under load, 5 million tokens: about 20 minutes
	@soak() { go test "$$1" -run "^$$2\$$" -v -count 1 -timeout 60m -args "$${@:3}" | grep --line-buffered -v '^\(=== \|ok \|PASS$$\)'; }; set -e -o pipefail; \
	  soak ./cli TestTroubleAtStytchStaysThere -soak-rate 200 -soak-fault 40s -soak-well 31s -soak-dark $(DARK); \
	  soak ./cli TestSlowClientsDisturbNobody -soak-rate 200 -slow-clients 2000 -slow-for 60s; \
	  soak ./cli TestTooMuchIsRefusedAtOnce -overload-for 60s; \
	  soak ./cli TestARollingRestartLosesNothing -restarts $(RESTARTS) -rolling-rate 500 -stop-grace 5s; \
	  soak ./auth TestDistinctTokensTakeNoMemory -tokens 5000000

cluster: web postgres redis haproxy pgbouncer ## three instances behind haproxy, through faults of each other and of what they stand on: about ten minutes
	@set -o pipefail; go test ./internal/cluster -v -count 1 -timeout 60m -args -whole | grep --line-buffered -v '^\(=== \|ok \|PASS$$\)'

machine: production image qemu ## systemd and Podman run the program and its image in a machine of its own, by qemu: some five minutes, as root
	@scripts/machine/run.sh

FUZZTIME ?= 10m

fuzz: web ## every fuzz target, one after the other, ten minutes each
	@set -o pipefail; grep -roE --include='*_test.go' '^func Fuzz[A-Za-z]+' api auth gpttest internal mcp openapi | sort | sed 's|/[^/]*:func | |' | while read -r folder target; do \
	  echo "$$target in $$folder"; go test "./$$folder" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s < /dev/null | grep -E 'elapsed: [0-9]+m0s|^(ok|FAIL|---|    )' || exit 1; done

FOREIGN ?= 20000

# The verifier's tests run once for each of its checks, without it: that takes most of the
# time, beside the rest.
attack: web acceptance chromium postgres ## the attack matrix against the server, other verifiers against ours, our verifier without each of its checks, every kind of attack from outside
	@attack() { go test "$$1" -run "$$2" -v -count 1 -timeout 60m -args "$${@:3}" | grep --line-buffered -v '^ *\(=== \|--- PASS\)'; }; set -e -o pipefail; \
	  verdicts=$$(mktemp); trap 'rm -f "$$verdicts"' EXIT; \
	  attack ./auth '^Test(Wycheproof.*|NothingIsAcceptedThatOthersRefuse|EveryCheckIsMissed)$$' -mutations 10000 -remove-checks > "$$verdicts" 2>&1 & verifier=$$!; \
	  attack ./internal/server '^Test(RevokingReaches|WhoIsGoneReads)' -revocations 100 -departures 20; \
	  scripts/kinds.sh -flood 10000 -foreign-requests $(FOREIGN); \
	  wait $$verifier || { cat "$$verdicts"; exit 1; }; cat "$$verdicts"

# The browser test drives Chromium. Root can install it, others are told how.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core) >/dev/null; \
	  else echo "Chromium is missing: sudo apt-get install chromium" >&2; exit 1; fi; }

firefox:
	@command -v firefox-esr >/dev/null || command -v firefox >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends firefox-esr) >/dev/null; \
	  else echo "Firefox is missing: sudo apt-get install firefox-esr" >&2; exit 1; fi; }

# The tests start a PostgreSQL of their own; the package's usual one is not wanted.
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    mkdir -p /etc/postgresql-common && (test -e /etc/postgresql-common/createcluster.conf || echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf) && \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql) >/dev/null; \
	  else echo "PostgreSQL is missing: sudo apt-get install postgresql" >&2; exit 1; fi; }

# The tests start a Redis of their own.
redis:
	@command -v redis-server >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server) >/dev/null; \
	  else echo "Redis is missing: sudo apt-get install redis-server" >&2; exit 1; fi; }

# The tests start proxies and a pooler of their own; what the packages would start at once, on port 80 or 6432, is not
# wanted. fish completes commands.
nginx caddy haproxy pgbouncer fish:
	@PATH="$$PATH:/usr/sbin"; command -v $@ >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $@) >/dev/null; \
	  else echo "$@ is missing: sudo apt-get install $@" >&2; exit 1; fi; }

# For promtool, which checks metrics and alert rules. The package would start a Prometheus.
prometheus:
	@command -v promtool >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $@) >/dev/null; \
	  else echo "promtool is missing: sudo apt-get install $@" >&2; exit 1; fi; }

# For a machine of its own.
qemu:
	@(command -v debootstrap && command -v qemu-system-x86_64 && command -v mkfs.ext4) >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap qemu-system-x86 e2fsprogs) >/dev/null; \
	  else echo "qemu is missing: sudo apt-get install debootstrap qemu-system-x86 e2fsprogs" >&2; exit 1; fi; }

# For systemd-analyze, which judges the unit.
systemd:
	@command -v systemd-analyze >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $@) >/dev/null; \
	  else echo "systemd-analyze is missing: sudo apt-get install $@" >&2; exit 1; fi; }

notices: web ## write THIRD_PARTY_NOTICES anew
	scripts/notices.sh > THIRD_PARTY_NOTICES

clean: ## remove what make made
	rm -rf bin web/node_modules acceptance/node_modules $(PEERS)/node_modules $(PEERS)/next/.next $(ASSETS)
