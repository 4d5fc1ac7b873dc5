# make run [OCTOPRINT=2.0.0rc7] [PORT=5000]   run a real OctoPrint with the plugin, reachable only from this machine
# make check [OCTOPRINT=2.0.0rc7]              lint, docs, unit tests and a smoke test; must pass before a push
# make tests/e2e/test_api.py [OCTOPRINT=...]   one test file, in one OctoPrint version
# make lint | test-units | test-js | test-e2e | translations     one part; for test-e2e, OCTOPRINTS=dev is OctoPrint's dev branch
# make test                                    all tests except the nightly ones; those marked each_octoprint in both OctoPrints
# make test-all                                all tests in both OctoPrint versions, and the unit tests in every installed Python
# make bench                                   measure the plugin's cost, compared with a reference
# make machine [ENDS=50] [OCTOPRINT=...] [SEED=...] [KINDS=memory]   shut down an emulated Debian system ENDS times; 30 seconds per shutdown
# make docs                                    build the documentation site in .docs/
# make zip                                     build the archive that OctoPrint's Plugin Manager installs, in dist/
# make release | publish VERSION=1.2.0         see CONTRIBUTING.md
# make screenshots | clean

PYTHON ?= python3
OCTOPRINT ?= 1.11.8
OCTOPRINTS := 1.11.8 2.0.0rc7
PORT ?= 5000
ENDS ?= 15
SEED ?= $(shell date +%s)

PIP := -m pip install --quiet --disable-pip-version-check
TOOLS := .venv/tools
BUILD := .venv/build
PLUGINS := $(OCTOPRINTS:%=.venv/octoprint-%/.plugin) $(TOOLS)/.plugin
OCTOPRINT_DEV := https://github.com/OctoPrint/OctoPrint/archive/refs/heads/dev.zip
IN_ONE := --octoprint $(OCTOPRINT)
IN_EACH := $(OCTOPRINTS:%=--octoprint %)
IN_PARALLEL := $(TOOLS)/bin/pytest $(IN_EACH) --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 12
SOURCES := $(shell find octoprint_uptime -type f -not -name '*.pyc') pyproject.toml setup.py MANIFEST.in README.md LICENSE
WHEEL := dist/.built

# Print the output of each parallel target in one piece, if this version of make can.
JOBS := $(if $(filter output-sync,$(.FEATURES)),--output-sync) --jobs

.PHONY: run check check-units check-smoke test test-all test-e2e test-system test-units test-js bench machine lint docs translations screenshots zip release publish clean FORCE
.DELETE_ON_ERROR:

run: .venv/octoprint-$(OCTOPRINT)/.plugin
	.venv/octoprint-$(OCTOPRINT)/bin/python tools/octoprint_server.py --basedir .octoprint/$(OCTOPRINT) --port $(PORT)

check:
	$(MAKE) $(JOBS) 3 lint docs check-units test-js check-smoke

check-units: $(TOOLS)/.plugin
	$(TOOLS)/bin/pytest tests/unit

check-smoke: .venv/octoprint-$(OCTOPRINT)/.plugin $(TOOLS)/.plugin
	$(TOOLS)/bin/python tools/system.py chromium
	$(TOOLS)/bin/pytest tests/e2e/test_smoke.py $(IN_ONE)

tests/%.py: .venv/octoprint-$(OCTOPRINT)/.plugin $(TOOLS)/.plugin test-system FORCE
	$(TOOLS)/bin/pytest $@ $(IN_ONE) --everything

# Here the unit tests run only in the tools' environment. `make test-all` also runs them in each Python.
test:
	$(MAKE) --jobs 3 $(PLUGINS) test-system test-js
	$(IN_PARALLEL) tests

test-all:
	$(MAKE) --jobs 3 $(PLUGINS) test-system test-units $(OCTOPRINTS:%=test-js-%)
	$(MAKE) test-e2e

test-e2e: $(PLUGINS) test-system
	$(IN_PARALLEL) tests --ignore tests/unit --everything

test-system: $(TOOLS)/.installed node_modules/.installed
	$(TOOLS)/bin/python tools/system.py chromium faketime jq strace mosquitto prometheus prometheus-alertmanager

# Run the unit tests in each installed Python, two at a time.
test-units: $(WHEEL)
	tools/pythons $(PYTHON) | xargs -n 1 -P 2 tools/test_units

# Test the page's logic in Node, with the libraries of this OctoPrint version.
test-js: test-js-$(OCTOPRINT)

test-js-%: .venv/octoprint-%/.installed FORCE
	OCTOPRINT=$* node --test tests/js/test_*.js

lint: $(TOOLS)/.installed node_modules/.installed
	$(TOOLS)/bin/ruff format --check .
	$(TOOLS)/bin/ruff check .
	$(TOOLS)/bin/mypy
	npm run --silent lint

# Rebuild all pages, because unchanged pages give no warnings.
docs: $(TOOLS)/.installed
	$(TOOLS)/bin/sphinx-build --quiet --fresh-env --nitpicky --fail-on-warning docs .docs

translations: $(TOOLS)/.installed
	$(TOOLS)/bin/python tools/translations.py

bench: $(PLUGINS)
	$(TOOLS)/bin/python tools/system.py chromium
	$(TOOLS)/bin/python tools/bench.py $(OCTOPRINTS:%=.venv/octoprint-%)

machine: $(TOOLS)/.plugin
	$(TOOLS)/bin/python tools/system.py machine
	$(TOOLS)/bin/python tools/machine_image.py $(OCTOPRINT) dist/*.whl
	$(TOOLS)/bin/pytest tests/machine $(IN_ONE) --verbose --capture no --ends $(ENDS) --seed $(SEED) --kinds '$(KINDS)'

screenshots: .venv/octoprint-$(OCTOPRINT)/.plugin $(TOOLS)/.plugin
	$(TOOLS)/bin/python tools/system.py chromium
	$(TOOLS)/bin/python tools/screenshots.py .venv/octoprint-$(OCTOPRINT)/bin/octoprint

zip: $(WHEEL)
	$(PYTHON) tools/release.py zip

# The cheapest check comes first.
release: $(TOOLS)/.installed
	$(TOOLS)/bin/python tools/release.py check $(VERSION)
	$(MAKE) lint docs test-all
	$(TOOLS)/bin/python tools/release.py build $(VERSION)

publish:
	$(TOOLS)/bin/python tools/release.py publish $(VERSION)

clean:
	rm -rf .venv .octoprint .machine .docs build dist node_modules *.egg-info

$(TOOLS)/.installed: tools/requirements.txt tests/unit/requirements.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python $(PIP) -r $<
	touch $@

# The build tools have their own environment, so that `make run` installs no other tools.
$(BUILD)/.installed: tools/build-requirements.txt
	$(PYTHON) -m venv $(BUILD)
	$(BUILD)/bin/python $(PIP) -r $<
	touch $@

$(WHEEL): $(BUILD)/.installed $(SOURCES)
	rm -rf dist build
	$(BUILD)/bin/python -m build --outdir dist . > /dev/null
	touch $@

# OCTOPRINT=dev installs OctoPrint's dev branch once, and does not update it.
.venv/octoprint-%/.installed:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python $(PIP) $(if $(filter dev,$*),$(OCTOPRINT_DEV),OctoPrint==$*)
	touch $@

%/.plugin: %/.installed $(WHEEL)
	$*/bin/python $(PIP) dist/*.whl
	$*/bin/python $(PIP) --force-reinstall --no-deps dist/*.whl
	touch $@

node_modules/.installed: package.json
	npm install --silent --no-package-lock --no-audit --no-fund
	touch $@

.PRECIOUS: .venv/octoprint-%/.installed
