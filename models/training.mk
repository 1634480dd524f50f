# Training the detector, the corner net and the reader: docs/training.md.
TRAIN_VENV := .venv-train
TRAIN_BIN := $(TRAIN_VENV)/bin
TRAIN_WORK ?= var/train
# Photographs with an index.tsv, or a folder of pictures annotated with labelImg.
DATA ?= $(ROADSIDE_DATA)
# The CPU build of torch is 2 GB smaller: TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# Where the trained models are put; the shipped ones are in models/shipped.
DETECTOR_OUT ?= $(TRAIN_WORK)/detector/fast
# The corner net lies beside either detector.
CORNERS_OUT ?= $(DETECTOR_OUT) $(DETECTOR_OUT)_uint8
READER_OUT ?= $(TRAIN_WORK)/reader/model
# The settings files' minutes, steps and highest learning rate, and a random start, unless given:
# make train-reader MINUTES=60; make train-detector INITIAL=var/train/detector/detector.ck RATE=9e-4
# DEVICE=cuda for a GPU, LOADERS=8 for the processes that draw its batches.
TRAIN_LIMITS = $(foreach name,MINUTES STEPS THREADS RATE INITIAL DEVICE LOADERS,$(if $(filter command environment,$(firstword $(origin $(name)))),--$(shell echo $(name) | tr A-Z a-z) $($(name))))
TRAIN_QUIET := TF_CPP_MIN_LOG_LEVEL=3

$(TRAIN_VENV)/.done: requirements-train.lock
	@test -x $(TRAIN_BIN)/python || $(PYTHON) -m venv $(TRAIN_VENV)
	@$(TRAIN_BIN)/python -c 'import sys; sys.exit("Training needs Python 3.11: make train-detector PYTHON=python3.11" if sys.version_info[:2] != (3, 11) else 0)'
	@echo "Installing torch and TensorFlow into $(TRAIN_VENV) (about 2.5 GB)"
	@$(TRAIN_BIN)/pip install --disable-pip-version-check --quiet $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r requirements-train.lock
	@$(TRAIN_BIN)/pip install --disable-pip-version-check --quiet --no-deps -e .
	@touch $@

# The detector's settings: models/detector/large.toml for the larger one, which photographs have.
DETECTOR_CONFIG ?= models/detector/fast.toml

# And of the reader: models/ocr/reader_wide.toml for the one that LiteRT has.
READER_CONFIG ?= models/ocr/reader.toml

.PHONY: train-detector train-corners train-reader
train-detector: $(TRAIN_VENV)/.done ## Train the plate detector (DATA=folder MINUTES=105); goes on where it stopped
	@$(TRAIN_QUIET) $(TRAIN_BIN)/python -m models.detector.train --data "$(DATA)" --config $(DETECTOR_CONFIG) --run $(TRAIN_WORK)/detector $(TRAIN_LIMITS)
	@$(TRAIN_QUIET) $(TRAIN_BIN)/python -m models.detector.export --data "$(DATA)" --config $(DETECTOR_CONFIG) --checkpoint $(TRAIN_WORK)/detector/detector.ck --out $(DETECTOR_OUT)
	@$(TRAIN_QUIET) $(TRAIN_BIN)/python -m models.detector.evaluate --data "$(DATA)" --folder models/shipped/detector --folder $(DETECTOR_OUT) --folder $(DETECTOR_OUT)_uint8 --out $(TRAIN_WORK)/detector/figures.md
	@echo "Try it: roadside run SOURCE --modeldir $(DETECTOR_OUT)"

train-corners: $(TRAIN_VENV)/.done ## Train the corner net (DATA=folder MINUTES=22 READER=reader.ck DETECTOR=folder); goes on where it stopped
	@$(TRAIN_QUIET) $(TRAIN_BIN)/python -m models.corners.train --data "$(DATA)" --run $(TRAIN_WORK)/corners $(TRAIN_LIMITS) $(if $(READER),--reader $(READER)) $(if $(DETECTOR),--detector $(DETECTOR))
	@$(TRAIN_QUIET) $(TRAIN_BIN)/python -m models.corners.export --checkpoint $(TRAIN_WORK)/corners/corners.ck $(addprefix --out ,$(CORNERS_OUT))
	@$(TRAIN_QUIET) $(TRAIN_BIN)/python -m models.corners.evaluate --data "$(DATA)" --modeldir $(firstword $(CORNERS_OUT)) --out $(TRAIN_WORK)/corners/figures.md

train-reader: $(TRAIN_VENV)/.done ## Train the plate reader (DATA=folder MINUTES=120); goes on where it stopped
	@$(TRAIN_QUIET) $(TRAIN_BIN)/python -m models.ocr.train --data "$(DATA)" --config $(READER_CONFIG) --run $(TRAIN_WORK)/reader $(TRAIN_LIMITS)
	@$(TRAIN_QUIET) $(TRAIN_BIN)/python -m models.ocr.export --data "$(DATA)" --config $(READER_CONFIG) --checkpoint $(TRAIN_WORK)/reader/reader.ck --out $(READER_OUT)
	@$(TRAIN_QUIET) $(TRAIN_BIN)/python -m models.ocr.calibrate --data "$(DATA)" --folder $(READER_OUT) --folder $(READER_OUT)_int8 --plot $(TRAIN_WORK)/reader

# Cards are no weights: they may be corrected without a new sum.
.PHONY: shipped-sums
shipped-sums: ## Write models/shipped/SHA256SUMS anew, after weights or statistics there were replaced
	@cd models/shipped && find . -type f '(' -name '*.tflite' -o -name '*.onnx' -o -name '*.traineddata' -o -name '*.json' -o -name '*.txt' ')' -printf '%P\n' | LC_ALL=C sort | xargs sha256sum > SHA256SUMS

.PHONY: ablate-reader
ablate-reader: $(TRAIN_VENV)/.done ## Compare heads and kinds of data by short trainings of the reader (INITIAL=checkpoint STEPS=280 each)
	@$(TRAIN_QUIET) $(TRAIN_BIN)/python -m models.ocr.ablate --data "$(DATA)" --run $(TRAIN_WORK)/ablation $(if $(INITIAL),--initial $(INITIAL)) $(if $(RATE),--rate $(RATE)) $(if $(STEPS),--steps $(STEPS))

.PHONY: test-training
test-training: $(TRAIN_VENV)/.done ## Run the tests of the training code, those that need torch included
	@$(TRAIN_BIN)/python -m pytest tests/unit/test_training_*.py
