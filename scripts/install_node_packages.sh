#!/usr/bin/env bash
# Fetches what the tests of exported networks and web pages, bench/compare and scripts/browser_page.sh need from
# npm into build/node; does nothing where it is there. Programs of packages are not run.
set -euo pipefail
cd "$(dirname "$0")/.."
node=build/node
command -v npm >/dev/null || { echo "npm is not installed: tests in ONNX Runtime are left out" >&2; exit 0; }
cmp -s tests/onnx/package-lock.json $node/package-lock.json && [ -d $node/node_modules ] && exit 0
mkdir -p $node
cp tests/onnx/package.json tests/onnx/package-lock.json $node/
npm ci --prefix $node --ignore-scripts --no-audit --no-fund --loglevel=error >&2
# Other systems' libraries, 200 MB, and the browser runtime's other builds, 120 MB.
rm -rf $node/node_modules/onnxruntime-node/bin/napi-v*/{darwin,win32,linux/arm64}
find $node/node_modules/onnxruntime-web/dist -type f ! -name ort.wasm.min.mjs ! -name 'ort-wasm-simd-threaded.[mw]*' -delete
