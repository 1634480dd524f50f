# A release: docs/releasing.md. Its tools live in an environment of their own.
RELEASE_VENV := .venv-release
DIRTY ?=

$(RELEASE_VENV)/.release: requirements-release.lock
	@test -x $(RELEASE_VENV)/bin/python || $(PYTHON) -m venv $(RELEASE_VENV)
	@echo "Installing the Python packages of requirements-release.lock into $(RELEASE_VENV) (60 MB)"
	@$(RELEASE_VENV)/bin/pip install --disable-pip-version-check --quiet --require-hashes -r requirements-release.lock
	@touch $@

.PHONY: release
release: $(RELEASE_VENV)/.release ## Build and check wheel, sdist, images and SBOM in dist/ (DIRTY=1: uncommitted changes too)
	@$(RELEASE_VENV)/bin/python -m release $(if $(DIRTY),--dirty)
