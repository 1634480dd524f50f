# The console: docs/console.md.
.PHONY: console-assets catalogs
console-assets: ## Fetch anew what the console's pages load, as its package-lock.json pins it (needs npm)
	@.ci/console-assets

catalogs: $(VENV)/.dev ## Bring the console's languages up to its texts
	@$(BIN)/python .ci/catalogs.py
