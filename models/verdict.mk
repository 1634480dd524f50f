.PHONY: bench-verdict
bench-verdict: $(VENV)/.run ## A year of traffic: false accusations of the verdict and of plain rules
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m models.verdict.bench
