# A thin front of the CMake presets: each goal installs what it needs, configures, builds and runs.
.PHONY: deps build demo test asan format check-format clean

deps:
	@scripts/install_deps.sh

build: deps
	@cmake --preset release >/dev/null && cmake --build --preset release

demo: build
	@scripts/demo.sh

test: build
	@scripts/install_deps.sh --tests
	@scripts/install_node_packages.sh || echo "npm's packages could not be fetched: some tests will be skipped" >&2
	@ctest --preset release -j2

asan: deps
	@cmake --preset asan >/dev/null && cmake --build --preset asan && ctest --preset asan -j2

format:
	@scripts/format.sh

check-format:
	@scripts/format.sh --check

clean:
	@rm -rf build
