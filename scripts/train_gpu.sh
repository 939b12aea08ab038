#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# Trains a recipe on a machine whose python3 has a recent PyTorch (2.11 with CUDA 13, say), and leaves the weights in
# pieces of at most 16 MiB. Builds spiga-train alone, with the LibTorch inside PyTorch; OpenCV and the like are not
# needed.
#   scripts/train_gpu.sh CONFIG OUTPUT [MINUTES]
# CONFIG's data files must be there (spiga pack makes them elsewhere). After MINUTES (none: no limit) training stops
# with a checkpoint; the same command again goes on from it. OUTPUT gets NAME.safetensors.00, .01, ... (float16; join
# with cat), their checksum, logs and report. In the environment:
#   SPIGA_PREFIX    folder that scripts/gather_headers.sh made, where the Debian packages are not installed
#   SPIGA_BUILD     build folder (build/gpu)
#   GPUS            processes, one a GPU (1); more than one needs the headers of NCCL and CUDA
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 2 ] || { sed -n '4,14s/^# \{0,1\}//p' "$0" >&2; exit 2; }
config=$1 output=$2 minutes=${3:-0} gpus=${GPUS:-1}
build=${SPIGA_BUILD:-build/gpu}
name=$(basename "$config" .toml)
mkdir -p "$output"

torch=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))')
generator=(); command -v ninja >/dev/null && generator=(-G Ninja)
cmake "${generator[@]}" -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DSPIGA_TRAINER_ONLY=ON -DSPIGA_TORCH="$torch" \
  -DCMAKE_PREFIX_PATH="${SPIGA_PREFIX:+$(realpath "$SPIGA_PREFIX")}" -DSPIGA_NCCL=$([ "$gpus" -gt 1 ] && echo ON || echo OFF)
cmake --build "$build" --target spiga_train_program --parallel "$(nproc)"
spiga_train=$build/bin/spiga-train

limit=(); [ "$minutes" = 0 ] || limit=(timeout --preserve-status --signal=TERM "${minutes}m")
status=0
if [ "$gpus" -eq 1 ]; then
  "${limit[@]}" "$spiga_train" train "$config" --resume || status=$?
else
  "${limit[@]}" python3 -m torch.distributed.run --no-python --standalone --nproc-per-node "$gpus" \
    "$spiga_train" train "$config" --resume || status=$?
fi
[ $status -eq 0 ] || [ $status -eq 130 ] || exit $status

folder=$(sed -n 's/^folder *= *"\(.*\)".*/\1/p' "$config")
"$spiga_train" export "$folder/checkpoint.safetensors" -o "$output/$name.safetensors"
for file in log.csv validation.csv report.html curves.svg; do
  [ ! -f "$folder/$file" ] || cp "$folder/$file" "$output/"
done
(
  cd "$output"
  sha256sum "$name.safetensors" >"$name.sha256"
  split --bytes=16M --numeric-suffixes --suffix-length=2 "$name.safetensors" "$name.safetensors."
  rm "$name.safetensors"
  echo "join: cat $name.safetensors.?? > $name.safetensors && sha256sum --check $name.sha256" | tee README
)
exit $status
