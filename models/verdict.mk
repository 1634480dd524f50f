.PHONY: bench-verdict
bench-verdict: $(VENV)/.dev ## Real plates, spoilt in eighteen ways: false accusations through the pipeline (FURTHER=1: seventeen other ways; QUALITY=best)
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m models.verdict.empirical --verbose $(if $(FURTHER),--further) $(if $(QUALITY),--quality $(QUALITY))

.PHONY: bench-verdict-year
bench-verdict-year: $(VENV)/.dev ## A simulated year with the errors of real reads: false accusations among 1 to 12 million vignettes
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m models.verdict.year

.PHONY: bench-known
bench-known: $(VENV)/.dev ## The same plates before a gate: for whom it opens, and whom it takes for another
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m models.verdict.known --verbose

.PHONY: bench-storage
bench-storage: $(VENV)/.dev ## A million vignettes imported, ten million sightings listed, on both databases
	@$(BIN)/python -m tests.bench.storage

.PHONY: bench-searches
bench-searches: $(VENV)/.dev ## Every pair of a search's filters on ten million sightings, on both databases
	@$(BIN)/python -m tests.bench.searches $(SEARCHES)

.PHONY: bench-millions
bench-millions: $(VENV)/.dev ## Twelve million vignettes imported and searched near a plate, on both databases
	@$(BIN)/python -m tests.bench.millions

.PHONY: joint-errors
joint-errors: $(VENV)/.dev ## Counts how errors come together on spoilt real plates: models/shipped/joint_errors.json
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m models.verdict.joint
