#!/usr/bin/env bash
# scripts/browser_page.sh FOLDER [MODEL]: makes a folder of static files with a page that runs the model (the default
# one) in the browser, by ONNX Runtime Web from npm. SPIGA names the program, by default the release build's.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { echo "usage: scripts/browser_page.sh FOLDER [MODEL]" >&2; exit 2; }
folder=$1 model=${2:-models/default.safetensors} spiga=${SPIGA:-build/release/bin/spiga}
runtime=${SPIGA_NODE_MODULES:-build/node/node_modules}/onnxruntime-web
[ -d "$runtime" ] || scripts/install_node_packages.sh
[ -d "$runtime" ] || { echo "onnxruntime-web is not installed: it comes from npm" >&2; exit 1; }
mkdir -p "$folder/ort"
cp web/standalone.html "$folder/index.html"
cp web/{standalone.js,viewer.js,drawing.js,style.css,icon.svg} "$folder/"
cp "$runtime"/dist/{ort.wasm.min.mjs,ort-wasm-simd-threaded.mjs,ort-wasm-simd-threaded.wasm} "$folder/ort/"
"$spiga" export --onnx "$model" -o "$folder/model.onnx"
"$spiga" info --json "$model" > "$folder/model.json"
