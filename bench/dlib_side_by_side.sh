#!/usr/bin/env bash
# Our default model and dlib's 68-point model (Debian's libdlib-data) on the same faces through the same evaluator:
# from annotated boxes, then from the detector's. Reports go to OUT/annotated and OUT/detector.
#   bench/dlib_side_by_side.sh [ANNOTATIONS [IMAGES [OUT]]]
set -euo pipefail
cd "$(dirname "$0")/.."
annotations=${1:-../shared/data/300w/valid.json}
images=${2:-$(dirname "$annotations")}
out=${3:-build/side-by-side}
bin=${SPIGA_BIN:-build/release/bin}
model=${SPIGA_MODEL:-models/default.safetensors}
dlib_model=/usr/share/dlib/shape_predictor_68_face_landmarks.dat
for needed in "$annotations" "$model" "$bin/spiga" "$bin/dlib_side_by_side"; do
  [ -e "$needed" ] || { echo "$needed is not here" >&2; exit 3; }
done
[ -e "$dlib_model" ] || { echo "$dlib_model is not here: apt install libdlib-data" >&2; exit 3; }
mkdir -p "$out/annotated" "$out/detector"
evaluate() { "$bin/spiga" evaluate --database 300wpublic --annotations "$annotations" --images "$images" --model "$model" "$@"; }
for boxes in annotated detector; do
  "$bin/dlib_side_by_side" "$dlib_model" "$annotations" "$images" $boxes "$out/dlib-$boxes.json"
  echo "== $boxes boxes =="
  evaluate --boxes $boxes --compare "dlib 68, $boxes boxes=$out/dlib-$boxes.json" --report "$out/$boxes"
done
