# The services on one machine: make up, make down, and what shows that nothing gets lost.
CAMERAS ?=
MINUTES ?= 10

.PHONY: up down chaos bench-cluster bench-months bench-saves bench-services bench-sources docs
up: $(VENV)/.dev ## Start all services on this machine (CAMERAS='gate=rtsp://...; yard=clip.mp4')
	@if [ -z "$(CAMERAS)" ] && [ "$(SOURCE)" = "$(DEMO_CLIP)" ]; then $(MAKE) --no-print-directory $(DEMO_CLIP); fi
	@bash services/up start "$(CAMERAS)" "$(SOURCE)"

down: ## Stop what make up started
	@bash services/up stop

chaos: $(VENV)/.dev ## Kill services, Redis, S3 and PostgreSQL at random for MINUTES and count what was lost
	@$(BIN)/python -m tests.bench.chaos --cluster --minutes $(MINUTES)

bench-sources: $(VENV)/.dev ## Network cameras on real servers: first frame, drop, return, wrong password, times
	@$(BIN)/python -m tests.bench.sources

bench-saves: $(VENV)/.dev ## Sightings a second that 1, 4 and 16 writers store in one PostgreSQL
	@$(BIN)/python -m tests.bench.saves

bench-months: $(VENV)/.dev ## What partitions by month would give PostgreSQL (docs/adr/0017)
	@$(BIN)/python -m tests.bench.months

bench-cluster: $(VENV)/.dev $(DEMO_CLIP) ## What each camera costs each part of a cluster: CAMERAS="1 10 100"
	@$(BIN)/python -m tests.bench.cluster --cameras $(or $(CAMERAS),1 10 100)

bench-services: $(VENV)/.dev ## How many cameras the services carry, and what distribution costs
	@$(BIN)/python -m tests.bench.services

docs: $(VENV)/.dev ## Write docs/metrics.md anew
	@$(BIN)/python -m roadside.commands.documents docs
