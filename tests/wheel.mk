.PHONY: test-wheel
test-wheel: $(VENV)/.dev $(RELEASE_VENV)/.release $(DEMO_CLIP) ## Build the wheel, install it into an empty environment from the index, use it there
	@$(BIN)/python -m tests.wheel --builder $(RELEASE_VENV)/bin/python $(DEMO_CLIP)
