#!/usr/bin/env bash
# scripts/install_deps.sh [--demo | --tests]: installs the Debian 12 packages that spiga is built with; does nothing (in
# milliseconds) where all are there.
#   --demo   what `make demo` needs: a compiler and the core's libraries (docs/install.md)
#   (none)   what the whole build needs: every optional part, trainer, Python module, tests and benchmarks
#   --tests  the same and what only some tests run: mkdocs, pandas, Jupyter, ruby, and the browser of the web pages' tests, where
#            npm is
set -euo pipefail
core=(g++ make cmake ninja-build libdnnl-dev libopencv-core-dev libopencv-imgproc-dev libjpeg-dev libpng-dev libwebp-dev
  nlohmann-json3-dev libcli11-dev libeigen3-dev)
rest=(ccache clang-format pkg-config libopencv-dev libdlib-dev libzip-dev libx11-dev libboost-dev libssl-dev
  libcpp-httplib-dev libgtest-dev libgmock-dev libbenchmark-dev
  libtorch-dev libgloo-dev libopenblas0-openmp libtomlplusplus-dev librsvg2-bin
  python3-dev pybind11-dev python3-numpy python3-pil)
case ${1-} in
--demo) packages=("${core[@]}") ;;
'' | --tests) packages=("${core[@]}" "${rest[@]}") ;;
*) echo "usage: scripts/install_deps.sh [--demo | --tests]" >&2; exit 2 ;;
esac
[ "${1-}" != --tests ] || packages+=(mkdocs mkdocs-material python3-pandas jupyter-nbconvert python3-ipykernel ruby)
# The web pages' tests need npm's packages, too.
[ "${1-}" != --tests ] || ! command -v npm >/dev/null || packages+=(chromium)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "installing: ${missing[*]}" >&2
start=$SECONDS
sudo=; [ "$(id -u)" -eq 0 ] || sudo=sudo
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "installing took $((SECONDS - start)) s" >&2
