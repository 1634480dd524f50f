# The console: docs/console.md.
.PHONY: console-assets catalogs
console-assets: ## Fetch anew what the console's pages load, as its package-lock.json pins it (needs npm)
	@.ci/console-assets

catalogs: $(VENV)/.dev ## Bring the console's languages up to its texts
	@$(BIN)/python .ci/catalogs.py

.PHONY: bench-console
bench-console: $(VENV)/.dev ## Fifty live pages at ten sightings a second; searches of ten million rows
	@$(BIN)/python -m tests.bench.console

.PHONY: console-pictures
console-pictures: $(VENV)/.dev $(DEMO_CLIP) ## Photograph the console anew for docs/images
	@$(BIN)/python -m demo.pictures $(DEMO_CLIP) docs/images
