# The daily commands. Each may be run again at any time; `make help` lists them.
SHELL = /bin/sh
PY = .venv/bin/python
C_FILES = $(shell find src tests fuzz bench -name '*.[ch]' 2>/dev/null)

.PHONY: help build demo test test-c test-python stress fuzz analyze platforms bench bench-peers bench-accuracy bench-real floor lint \
	format wheel clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

build: ## install what is missing and leave .venv with vmprof in it
	@tools/bootstrap package

demo: build ## profile a real program and show its hot functions and its tree
	@tools/demo

test: ## run all tests, C and Python; ends with "N passed, N failed, N skipped"
	@tools/bootstrap tests
	@$(PY) tools/run_tests.py

test-c: ## run the C tests alone
	@tools/bootstrap tests
	@$(PY) tools/run_tests.py c

test-python: ## run the Python tests alone
	@tools/bootstrap tests
	@$(PY) tools/run_tests.py python

stress: ## storms and CPython's own suites under every interpreter (hours); STRESS="--only 3.12"
	@tools/bootstrap tests
	@$(PY) tools/run_tests.py stress -- $(STRESS)

fuzz: ## run each fuzzer for FUZZ_SECONDS (60), guided by libFuzzer
	@tools/fuzz run $(or $(FUZZ_SECONDS),60)

analyze: ## follow the paths of the C sources with clang-tidy; options by ANALYZE="--short"
	@tools/analyze $(ANALYZE)

platforms: ## build and test for i386, aarch64 (qemu), macOS and Windows; root, half an hour
	@tools/platforms

bench: floor ## measure what sampling costs; options by BENCH="--windows 9 --hz 1000"
	@$(PY) bench/overhead.py --floor build/bench/bench/libfloor.so $(BENCH)

bench-peers: floor ## measure ours beside other profilers, into bench/results; BENCH="--repeat 5"
	@$(PY) bench/side_by_side.py --floor build/bench/bench/libfloor.so $(BENCH)

floor: build
	@export PATH="$$PWD/.venv/bin:$$PATH"; [ -e build/bench/build.ninja ] || \
		meson setup build/bench --buildtype=release -Dweb=disabled >build/bench.log || { cat build/bench.log; exit 1; }
	@PATH="$$PWD/.venv/bin:$$PATH" meson compile -C build/bench floor >build/bench.log || \
		{ cat build/bench.log; exit 1; }

bench-accuracy: build ## compare shares with known ones, ours and others; options by ACCURACY="--runs 20"
	@$(PY) bench/accuracy.py $(ACCURACY)

bench-real: ## run programs of others bare and profiled, into bench/results; REAL="--python 3.12"
	@tools/bootstrap tools
	@$(PY) bench/real/run.py $(REAL)

lint: ## check the form of C and Python, and the types
	@tools/bootstrap tests
	@.venv/bin/clang-format --dry-run -Werror $(C_FILES)
	@.venv/bin/ruff format --check -q .
	@.venv/bin/ruff check -q .
	@.venv/bin/mypy
	@[ ! -e web/node_modules/typescript ] || web/node_modules/.bin/tsc -p web
	@for f in tools/bootstrap tools/demo tools/fuzz tools/analyze tools/arch_chroot tools/platforms .ci/run; do sh -n $$f || exit 1; done

format: ## bring C and Python into form
	@tools/bootstrap tests
	@.venv/bin/clang-format -i $(C_FILES)
	@.venv/bin/ruff format -q .
	@.venv/bin/ruff check -q --fix .

wheel: ## build the wheel into dist/
	@tools/bootstrap tools
	@rm -rf dist && mkdir -p build dist
	@PATH="$$PWD/.venv/bin:$$PATH" $(PY) -m pip wheel -q --disable-pip-version-check --no-deps \
		--no-build-isolation --config-settings=build-dir=build/package -w dist .
	@ls dist/*.whl

clean: ## remove what was built, .venv included
	@rm -rf build dist web/node_modules .venv .mypy_cache .ruff_cache .pytest_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +
