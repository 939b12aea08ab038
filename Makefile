# A thin front of the CMake presets: each goal installs what it needs, configures, builds and runs.
.PHONY: help deps build demo test site asan format check-format clean
.DEFAULT_GOAL := help

help:  ## This list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

demo:  ## The program's core alone, and the faces of samples/astronaut.jpg
	@scripts/install_deps.sh --demo
	@scripts/timed.sh "building" sh -c 'cmake --preset demo >/dev/null && cmake --build --preset demo'
	@scripts/demo.sh

deps:  ## Installs every Debian package that the whole build needs
	@scripts/install_deps.sh

build: deps  ## Everything: program, trainer, libraries, Python module, tests
	@cmake --preset release >/dev/null && cmake --build --preset release

test:  ## Builds everything and runs every test
	@echo "make test: installs what is missing (LibTorch among it), builds everything (27 minutes of processor time at first, little after that) and runs every test" >&2
	@$(MAKE) --no-print-directory build
	@scripts/install_deps.sh --tests
	@scripts/install_node_packages.sh || echo "npm's packages could not be fetched: some tests will be skipped" >&2
	@scripts/run_tests.sh release -j2

site:  ## The documentation as a site, in build/site, its links checked
	@scripts/site.sh

asan: deps  ## The tests under address and undefined-behaviour sanitizers
	@cmake --preset asan >/dev/null && cmake --build --preset asan && scripts/run_tests.sh asan -j2

format:  ## Formats the C++
	@scripts/format.sh

check-format:  ## Fails where the C++ is not formatted
	@scripts/format.sh --check

clean:  ## Removes build/
	@rm -rf build
