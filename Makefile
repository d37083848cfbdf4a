# Everything that is done with this project, on a Debian machine with Go,
# Node.js and make. `make run` and `make test` need nothing else to be known.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

GO      ?= go
WEB     := caregiver-app
STAMP   := $(WEB)/dist/.built
STATIC  := honnef.co/go/tools/cmd/staticcheck@v0.7.0
FUZZ    ?= 5s
RACE    ?= ./cloud/alarm ./cloud/broker ./cloud/web ./gateway/hub

WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/i18n $(WEB)/public -type f 2>/dev/null) \
	$(WEB)/index.html $(WEB)/family.html $(WEB)/kiosk.html $(WEB)/package-lock.json $(WEB)/vite.config.ts $(WEB)/tsconfig.json

SEEDS   ?= 2000
KILLS   ?= 100
CUTS    ?= 200
MINUTES ?= 0
ROUNDS  ?= 100

.PHONY: help build run run-influx components test test-go test-race test-long test-web screens check check-go check-web generate bench bench-visits fleet fuzz torture replay setup clean web

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | column -t -s "$$(printf '\t')"

build: web ## the two binaries, with the app inside
	$(GO) build -o bin/lykta-cloud ./cloud
	$(GO) build -o bin/lykta-gateway ./gateway

web: $(STAMP)

$(WEB)/node_modules/.installed: $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error
	touch $@

$(STAMP): $(WEB_SOURCES) | $(WEB)/node_modules/.installed
	cd $(WEB) && npm run --silent build
	touch $@

run: web ## the cloud and a few simulated homes in one process
	$(GO) build -o bin/lykta-demo ./demo
	exec bin/lykta-demo --data var/demo $(ARGS)

run-influx: web ## the same on a real InfluxDB
	scripts/influxd.sh >/dev/null
	$(GO) build -o bin/lykta-demo ./demo
	exec bin/lykta-demo --data var/demo-influx --influxd .tools/bin/influxd $(ARGS)

components: | $(WEB)/node_modules/.installed ## a page with every component of the apps in every state, at http://127.0.0.1:4175/components.html
	cd $(WEB) && npx --no vite build --mode components --logLevel warn
	cd $(WEB) && exec npx --no vite preview --mode components --host 127.0.0.1 --port 4175 --strictPort

setup: ## what the tests need and a fresh machine lacks
	scripts/setup.sh

test: setup web check test-web test-go test-race ## everything that is tested

# Without vet, which check has run on everything. What takes longest comes first,
# and as it mostly waits (for a browser, for a network that is cut), more than one
# package a core runs beside it.
test-go:
	LYKTA_REQUIRE_DIST=1 $(GO) test -vet=off -p 3 -parallel 4 -timeout 12m ./e2e ./...

test-race: ## the race detector; RACE="./cloud/... ./gateway/..." for a long run
	$(GO) test -vet=off -race -p 4 -timeout 20m $(RACE)

test-long: ## PostgreSQL through as many random lives as SQLite, ROUNDS=1000 for more of both; calls on bad lines, measured
	LYKTA_LONG=1 $(GO) test -count=1 -timeout 60m -run 'TestConformance/.*/P5' ./cloud/store -rapid.checks=$(ROUNDS)
	LYKTA_LONG=1 $(GO) test -count=1 -timeout 60m -v -run TestVideoVisits ./e2e

test-web: $(STAMP)
	cd $(WEB) && npm test --silent && npm run --silent e2e

screens: web ## every screen in every look, with pictures in caregiver-app/shots
	cd $(WEB) && npm run --silent screens

# The halves for Go and for the apps run beside each other: either leaves a core
# idle for much of its time. What is generated comes first, as both look at it.
check: web ## format, vet, staticcheck, types, generated files, architecture
	$(MAKE) --no-print-directory generate
	git diff --exit-code -- docs/openapi.json $(WEB)/src/api
	$(MAKE) --no-print-directory -j2 --output-sync=target check-go check-web

check-go:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not formatted:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATIC) ./...
	$(GO) test -run Architecture .

check-web: web
	cd $(WEB) && npm run --silent check

generate: | $(WEB)/node_modules/.installed ## files that are made from others
	$(GO) run ./cloud openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json
	cd $(WEB) && npm run --silent generate

bench: ## benchmarks; compare ratios within one run
	$(GO) test -run '^$$' -bench . -benchtime 2s ./devices/... ./gateway/spool/... ./cloud/...

bench-visits: ## calls by video beside LiveKit: join time, cost, bad networks; ARGS="--joins 100 --visits 1,25,50"
	scripts/livekit.sh >/dev/null
	$(GO) build -o bin/benchvisits ./e2e/benchvisits
	bin/benchvisits --livekit .tools/bin/livekit-server $(ARGS)

fleet: ## many homes at once on a real lykta-cloud; ARGS="--homes 18000 --rate 10000 --storm 10s", --help has all
	$(GO) build -o bin/fleet ./e2e/fleet
	bin/fleet $(ARGS)

fuzz: ## each fuzz target for FUZZ (default 5s)
	@for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg 2>/dev/null | grep '^Fuzz' || true); do \
			echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZ) $$pkg; \
		done; done

torture: web setup ## everything that can go wrong, for long: SEEDS, KILLS, CUTS, MINUTES (0: no bound)
	$(GO) run ./e2e/torture --seeds $(SEEDS) --kills $(KILLS) --cuts $(CUTS) --minutes $(MINUTES)

replay: ## the journal of one simulated life: SEED=…
	LYKTA_SEED=$(SEED) LYKTA_SEEDS=1 LYKTA_JOURNAL=1 $(GO) test -count=1 -v -run 'TestSeeds$$' ./e2e/sim

vuln: ## known faults of what Lykta is built from; needs the network
	$(GO) run golang.org/x/vuln/cmd/govulncheck@latest ./...
	cd $(WEB) && npm audit --omit=dev

clean:
	rm -rf bin var $(WEB)/dist/assets $(WEB)/dist-components $(STAMP) $(WEB)/node_modules
