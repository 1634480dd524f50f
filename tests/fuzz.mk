SECONDS ?= 60
TARGET ?=

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Feed damaged input to every decoder for SECONDS each, or to TARGET
	@$(BIN)/python -m tests.fuzz.run $(TARGET) --seconds $(SECONDS)
