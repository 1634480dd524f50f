# Photographs, Tesseract's language and the figures.
TRAIN_WORK ?= var/train
PART ?= all
ARGS ?= --help

.PHONY: train-tesseract dataset evaluate
train-tesseract: $(VENV)/.dev ## Fine-tune Tesseract's `gb` (MINUTES=30 for less); goes on where it stopped
	@$(BIN)/python -m models.tesseract.train --work $(TRAIN_WORK)/tesseract $(if $(MINUTES),--minutes $(MINUTES))

dataset: $(VENV)/.run ## The dataset tool: make dataset ARGS="check FOLDER"
	@$(BIN)/python -m models.data $(ARGS)

evaluate: $(VENV)/.dev ## Every figure of docs/accuracy.md, from one run (PART=read for a part)
	@$(BIN)/python -m models.evaluate --part $(PART)
