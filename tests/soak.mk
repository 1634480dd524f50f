.PHONY: soak
soak: $(VENV)/.dev $(DEMO_CLIP) ## Watch a live camera for MINUTES and fail where memory rises (var/soak: a table and a plot)
	@$(BIN)/python -m tests.bench.soak --minutes $(MINUTES) $(SOAK)

.PHONY: peaks
peaks: $(VENV)/.dev ## Measure what the worst picture of each door costs, into docs/peaks.md
	@$(BIN)/python -m tests.bench.peaks

.PHONY: bench-passages
bench-passages: $(VENV)/.dev ## Is every passage told once, and how soon: live cameras at 10 to 0.3 frames a second, hidden, parked, away
	@$(BIN)/python -m tests.bench.passages $(PASSAGES)
