.PHONY: soak
soak: $(VENV)/.dev $(DEMO_CLIP) ## Watch a live camera for MINUTES and fail where memory rises (var/soak: a table and a plot)
	@$(BIN)/python -m tests.bench.soak --minutes $(MINUTES) $(SOAK)
