#!/usr/bin/env bash
# scripts/install_deps.sh [--tests]: installs the Debian 12 packages that spiga builds with (or is tested with, too);
# does nothing (in milliseconds) where all are there.
set -euo pipefail
packages=(g++ make cmake ninja-build ccache pkg-config clang-format
  libdnnl-dev libopencv-dev libdlib-dev libzip-dev libcli11-dev nlohmann-json3-dev
  libtorch-dev libgloo-dev libopenblas0-openmp libtomlplusplus-dev librsvg2-bin libx11-dev libcpp-httplib-dev libssl-dev libeigen3-dev libgtest-dev libgmock-dev libbenchmark-dev
  python3-dev pybind11-dev python3-numpy python3-pil)
# The browser of the web pages' tests, which need npm's packages, too.
[ "${1-}" != --tests ] || ! command -v npm >/dev/null || packages+=(chromium)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "installing: ${missing[*]}" >&2
sudo=; [ "$(id -u)" -eq 0 ] || sudo=sudo
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
