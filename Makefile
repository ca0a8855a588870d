# A clean machine needs only Python 3.11 or later, make, and a package index.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONWARNINGS ?= default
# Without bytecode azure-mgmt-network takes seconds to import, so no caller's environment may forbid it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test unit check docs site dist try-dist prove-image lock bench bench-quick bench-startup clean

# The environment is rebuilt whenever the pins change. Hashes are checked; nothing is resolved at install time. Only pip
# is used, because people have configured it for their proxies, mirrors and certificates, and because it compiles
# bytecode, except that of asrnet, which is used where it is. The build backend looks for its program on the PATH.
PIP_INSTALL = PYTHONWARNINGS= $(BIN)/python -m pip install --quiet --disable-pip-version-check
PIP_FAILED = { echo "pip could not install the packages: its messages are above. Behind a proxy, with a mirror or with root"; \
	echo "certificates of your own, configure pip first: see 'Installing' in docs/network.md"; exit 1; } >&2
.venv/.installed: constraints.txt pyproject.toml
	@echo "installing asrnet and its tools into .venv: one or two minutes"
	$(PYTHON) -m venv --clear .venv
	@$(PIP_INSTALL) --require-hashes --no-deps -r constraints.txt || $(PIP_FAILED)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(PIP_INSTALL) --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q asrnet
	touch $@

.venv/.release: constraints-release.txt .venv/.installed
	@$(PIP_INSTALL) --require-hashes --no-deps -r constraints-release.txt || $(PIP_FAILED)
	touch $@

demo: .venv/.installed  ## plan, apply, plan and show on example 01: the real Azure SDK, in process, no subscription
	$(BIN)/asrnet demo

# Three processes on two cores, because a worker is idle while it waits for a program that it has started. They steal each
# other's work: otherwise one worker was alone with the last property tests for a minute and a half.
test: .venv/.installed  ## the whole suite
	$(BIN)/python -m pytest -n 3 --dist worksteal -q

# Two processes, each with half of the files. With xdist each worker would collect all tests, and the messages about a
# test would cost more than the test. These tests do not use Hypothesis, which its plugin would import nevertheless.
UNIT = $(BIN)/python -m pytest -q -p no:_hypothesis_pytestplugin
unit: .venv/.installed  ## the fast part
	@$(MAKE) --no-print-directory -j 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync) unit-a-ot-z unit-p-s
unit-%:
	$(UNIT) tests/unit/test_[$*]*.py

check: .venv/.installed  ## linters, types, layers, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_docs.py --check

docs: .venv/.installed  ## rewrite the generated pages and .env.example
	$(BIN)/python scripts/generate_docs.py

site: .venv/.release  ## docs, examples and the library's reference as a searchable site in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# Built here, and again from the unpacked sdist in another folder with other times and permissions: both results must have
# the same bytes. The build backend rewrites pyproject.toml in the sdist and keeps ours as pyproject.toml.orig.
BUILD = PATH="$(CURDIR)/$(BIN):$$PATH" uv build --quiet --offline --no-build-isolation --clear --out-dir
dist: .venv/.installed  ## a wheel and an sdist in dist/, built twice and compared byte for byte
	$(BUILD) dist .
	rm -rf build/again && mkdir -p build/again
	tar -xzf dist/*.tar.gz --strip-components 1 -m -C build/again
	cd build/again && mv pyproject.toml.orig pyproject.toml && rm PKG-INFO && chmod -R go= .
	umask 077 && cd build/again && SOURCE_DATE_EPOCH=1 TZ=Pacific/Apia $(BUILD) dist .
	for file in dist/*.whl dist/*.tar.gz; do cmp "$$file" "build/again/$$file" || exit 1; done
	$(BIN)/python -m pip hash dist/*.whl dist/*.tar.gz

try-dist: dist .venv/.release  ## install the wheel with pip, pipx and uv in bare environments; run demo, plugin and emulator from it
	$(BIN)/python scripts/try_dist.py $(WITH)

prove-image:  ## build the Dockerfile's steps in a bare root filesystem and start it as non-root; needs root and debootstrap
	python3 scripts/prove_image.py $(FOLDER)

bench: .venv/.installed  ## measure everything and refresh docs/performance.md, about ten minutes; with SIZES=1,20 only print
	$(BIN)/python -m benchmarks $(if $(SIZES),--sizes $(SIZES),--write docs/performance.md)

bench-quick: .venv/.installed  ## the small sizes, once and without peers: half a minute
	$(BIN)/python -m benchmarks --quick

bench-startup: .venv/.installed
	$(BIN)/python benchmarks/startup.py

lock: .venv/.installed  ## pin every dependency with hashes; the file holds no address
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --group dev --generate-hashes --no-emit-index-url --no-header pyproject.toml -o constraints.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --group release --constraints constraints.txt --generate-hashes --no-emit-index-url --no-header -o constraints-release.txt

clean:
	rm -rf .venv build dist
