# make run [OCTOPRINT=2.0.0rc7] [PORT=5000]   a real OctoPrint with the plugin, on this machine only
# make test                                    every test, in every Python and both OctoPrints found below
# make bench                                   what the plugin costs, beside a reference
# make lint | translations | screenshots

PYTHON ?= python3
OCTOPRINT ?= 1.11.8
OCTOPRINTS := 1.11.8 2.0.0rc7
PORT ?= 5000

PIP := -m pip install --quiet --disable-pip-version-check
TOOLS := .venv/tools
PLUGINS := $(OCTOPRINTS:%=.venv/octoprint-%/.plugin) $(TOOLS)/.plugin
IN_EACH := $(OCTOPRINTS:%=--octoprint %)
SOURCES := $(shell find octoprint_uptime -type f -not -name '*.pyc') pyproject.toml setup.py MANIFEST.in README.md LICENSE
WHEEL := dist/.built

.PHONY: run test test-system test-units bench lint translations screenshots clean
.DELETE_ON_ERROR:

run: .venv/octoprint-$(OCTOPRINT)/.plugin
	.venv/octoprint-$(OCTOPRINT)/bin/python tools/octoprint_server.py --basedir .octoprint/$(OCTOPRINT) --port $(PORT)

test:
	$(MAKE) --jobs 3 test-units $(PLUGINS) test-system
	$(TOOLS)/bin/pytest tests --ignore tests/unit -m "not alone" $(IN_EACH) --numprocesses 3 --dist loadfile --no-loadscope-reorder
	$(TOOLS)/bin/pytest tests --ignore tests/unit -m alone $(IN_EACH) --numprocesses 2

test-system: $(TOOLS)/.installed
	$(TOOLS)/bin/python tools/system.py chromium faketime

# The pure parts in each Python that is here, each in an environment with nothing else.
test-units: $(WHEEL)
	@set -e; tools/pythons $(PYTHON) | while read -r python; do \
	    venv=.venv/$$("$$python" -c 'import sys; print("python-%d.%d" % sys.version_info[:2])'); \
	    test -x $$venv/bin/pytest || { "$$python" -m venv $$venv; $$venv/bin/python $(PIP) -r tests/unit/requirements.txt; }; \
	    $$venv/bin/python $(PIP) --force-reinstall --no-deps dist/*.whl; \
	    echo "$$venv"; $$venv/bin/pytest tests/unit </dev/null; \
	done

lint: $(TOOLS)/.installed node_modules/.installed
	$(TOOLS)/bin/ruff format --check .
	$(TOOLS)/bin/ruff check .
	$(TOOLS)/bin/mypy
	npm run --silent lint

translations: $(TOOLS)/.installed
	$(TOOLS)/bin/python tools/translations.py

bench: $(PLUGINS)
	$(TOOLS)/bin/python tools/system.py chromium
	$(TOOLS)/bin/python tools/bench.py $(OCTOPRINTS:%=.venv/octoprint-%)

screenshots: .venv/octoprint-$(OCTOPRINT)/.plugin $(TOOLS)/.plugin
	$(TOOLS)/bin/python tools/system.py chromium
	$(TOOLS)/bin/python tools/screenshots.py .venv/octoprint-$(OCTOPRINT)/bin/octoprint

clean:
	rm -rf .venv .octoprint build dist node_modules *.egg-info

$(TOOLS)/.installed: tools/requirements.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python $(PIP) -r $<
	touch $@

$(WHEEL): $(TOOLS)/.installed $(SOURCES)
	rm -rf dist build
	$(TOOLS)/bin/python -m build --outdir dist . > /dev/null
	touch $@

.venv/octoprint-%/.installed:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python $(PIP) OctoPrint==$*
	touch $@

%/.plugin: %/.installed $(WHEEL)
	$*/bin/python $(PIP) --force-reinstall --no-deps dist/*.whl
	touch $@

node_modules/.installed: package.json
	npm install --silent --no-package-lock --no-audit --no-fund
	touch $@

.PRECIOUS: .venv/octoprint-%/.installed
