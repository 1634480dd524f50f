# Photographs, Tesseract's language and the figures.
TRAIN_WORK ?= var/train
PART ?= all
ARGS ?= --help

.PHONY: train-tesseract dataset evaluate
train-tesseract: $(VENV)/.dev ## Fine-tune Tesseract's `gb` (MINUTES=30 for less); goes on where it stopped
	@$(BIN)/python -m models.tesseract.train --work $(TRAIN_WORK)/tesseract $(if $(MINUTES),--minutes $(MINUTES))

dataset: $(VENV)/.run ## The dataset tool: make dataset ARGS="check FOLDER"
	@$(BIN)/python -m models.data $(ARGS)

# Other projects' readers: one of them is commercial and runs for an evaluation, so it is installed for this alone.
PEERS_VENV := .venv-peers

$(PEERS_VENV)/.done:
	@test -x $(PEERS_VENV)/bin/python || $(PYTHON) -m venv $(PEERS_VENV)
	@echo "Installing SimpleLPR and fast-alpr into $(PEERS_VENV) (400 MB)"
	@$(PEERS_VENV)/bin/pip install --disable-pip-version-check --quiet SimpleLPR==3.6.4.1 fast-alpr==0.4.0 onnxruntime opencv-python-headless
	@touch $@

.PHONY: bench-peers
bench-peers: $(VENV)/.dev $(PEERS_VENV)/.done ## The same photographs through SimpleLPR, fast-alpr and Roadside (docs/accuracy.md)
	@$(BIN)/python -m models.evaluate --part peers

evaluate: $(VENV)/.dev ## Every figure of docs/accuracy.md, from one run (PART=read for a part)
	@$(BIN)/python -m models.evaluate --part $(PART)
