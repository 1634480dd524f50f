# The documentation as pages, in an environment of its own: mkdocs and what reads docstrings.
DOCS_VENV := .venv-docs
DOCS_SITE := build/site

$(DOCS_VENV)/.docs: requirements-docs.lock
	@test -x $(DOCS_VENV)/bin/python || $(PYTHON) -m venv $(DOCS_VENV)
	@echo "Installing the Python packages of requirements-docs.lock into $(DOCS_VENV) (130 MB)"
	@$(DOCS_VENV)/bin/pip install --disable-pip-version-check --quiet --require-hashes -r requirements-docs.lock
	@touch $@

.PHONY: docs-site
docs-site: $(DOCS_VENV)/.docs ## Build the documentation's pages into build/site, strictly
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/python -m mkdocs build --strict --quiet
	@$(DOCS_VENV)/bin/python -m release.pages $(DOCS_SITE)
	@echo "$$(find $(DOCS_SITE) -name '*.html' | wc -l) pages in $(DOCS_SITE), open $(DOCS_SITE)/index.html"

.PHONY: film
film: $(VENV)/.run $(DEMO_CLIP) ## The moving picture of the README, from the demonstration clip
	@bash demo/run "$(DEMO_CLIP)" "$(DEMO_CLIP)" > /dev/null
	@$(BIN)/python demo/film.py
