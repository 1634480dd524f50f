# The cluster: images, manifests, and their tests.

.PHONY: images manifests test-cluster test-arm64
images: ## Build every image with docker (BASE=..., PUSH=registry/prefix)
	@BASE="$(BASE)" PUSH="$(PUSH)" PLATFORM="$(PLATFORM)" IMAGES="$(IMAGES)" bash docker/build

manifests: $(VENV)/.dev ## Write what k3s/ makes of cameras.toml, dashboards.py and prometheus/
	@$(BIN)/python k3s/generate.py

test-cluster: $(VENV)/.dev $(DEMO_CLIP) ## Build the images and run the whole pipeline in containers
	@time bash docker/engine bash -c 'bash docker/build && $(BIN)/python -m pytest -m containers tests/containers'

test-arm64: $(DEMO_CLIP) ## Build detector and ocr for arm64 under emulation, and run both
	@time bash docker/engine bash docker/arm64
