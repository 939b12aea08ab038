#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# container_test.sh [SPIGA]: builds the image of Containerfile without a registry, on a Debian made by mmdebstrap, runs it, and
# compares what it finds in samples/astronaut.jpg, by the command and over HTTP, with the built program's faces
# (build/demo/bin/spiga): equal to 0.05 pixel in float32. The image has at most 250 MB, is not root, and calls itself healthy.
# As root, with buildah, podman, mmdebstrap and curl; exits with 77 where these are not there or cannot run containers here.
# Takes minutes (it compiles), and a network: not part of ctest. Base and images stay in build/container for the next time.
set -euo pipefail
cd "$(dirname "$0")/../.."
spiga=$(realpath "${1:-build/demo/bin/spiga}")
work=$PWD/build/container mirror=${SPIGA_MIRROR:-http://deb.debian.org/debian}
skip() { echo "SKIPPED: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || skip "not root"
for program in buildah podman mmdebstrap curl; do command -v $program >/dev/null || skip "$program is not installed"; done
mkdir -p "$work"
# Storage of its own, without overlays, which not every file system has.
storage=(--root "$work/storage" --runroot "$work/run" --storage-driver vfs)
podman=(podman "${storage[@]}" --cgroup-manager cgroupfs --events-backend none)
image=localhost/spiga base=localhost/debian:12-slim container=spiga-test-$$

if [ ! -e "$work/base.tar" ]; then
  excludes=()
  for folder in doc info locale man groff lintian; do excludes+=(--dpkgopt="path-exclude=/usr/share/$folder/*"); done
  excludes+=(--dpkgopt='path-include=/usr/share/doc/*/copyright')
  mmdebstrap --variant=minbase "${excludes[@]}" bookworm "$work/base.part.tar" "$mirror" 2>"$work/base.log" ||
    { tail -5 "$work/base.log"; skip "mmdebstrap failed"; }
  mv "$work/base.part.tar" "$work/base.tar"
fi
"${podman[@]}" image exists $base || "${podman[@]}" import --quiet "$work/base.tar" $base >/dev/null ||
  skip "podman cannot import an image here"

# Containers within other machines' limits need some help: limits that may be set, another runtime.
run=()
for runtime in crun runc; do
  command -v $runtime >/dev/null || continue
  run=("${podman[@]}" --runtime $runtime run --rm --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --network none)
  "${run[@]}" $base true 2>"$work/run.log" && break
  run=()
done
[ ${#run[@]} -gt 0 ] || skip "podman cannot run a container here: $(tail -1 "$work/run.log")"

echo force-unsafe-io >"$work/dpkg.cfg"  # as Debian's own images have it
build=(--isolation chroot --format docker --layers=false --build-arg "BASE=$base"
  -v "$work/dpkg.cfg:/etc/dpkg/dpkg.cfg.d/container:ro")
if command -v ccache >/dev/null; then  # objects that this machine's compiler has made are as good
  mkdir -p "$work/ccache"
  printf '%s\n' 'base_dir = /src' 'hash_dir = false' "sloppiness = $(ccache --get-config sloppiness)" >"$work/ccache/ccache.conf"
  build+=(--build-arg EXTRA_PACKAGES=ccache -v "$work/ccache:/root/.config/ccache:ro" -v "$(ccache --get-config cache_dir):/root/.cache/ccache")
fi
start=$SECONDS
buildah "${storage[@]}" build "${build[@]}" -t $image . \
  >"$work/build.log" 2>&1 || { tail -20 "$work/build.log"; fail "the image cannot be built"; }
echo "built in $((SECONDS - start)) s"
size_mb=$(("$("${podman[@]}" image inspect --format '{{.Size}}' $image)" / 1000000))
base_mb=$(("$("${podman[@]}" image inspect --format '{{.Size}}' $base)" / 1000000))
echo "the image has $size_mb MB, $base_mb MB of them its base"
[ "$size_mb" -le 250 ] || fail "expected at most 250 MB"
[ "$("${run[@]}" --entrypoint id $image -u)" = 10001 ] || fail "expected the user 10001"

"${run[@]}" -v "$PWD/samples:/data:ro" $image analyze astronaut.jpg --precision f32 --quality fast >"$work/command.json" ||
  fail "the command failed"
# The server as it starts by itself, on a loopback of its own.
"${run[@]}" --name "$container" $image >"$work/serve.log" 2>&1 &
trap '"${podman[@]}" kill "$container" >/dev/null 2>&1 || true; wait' EXIT
healthy=no
for _ in $(seq 60); do
  sleep 1
  if "${podman[@]}" healthcheck run "$container" >/dev/null 2>&1; then healthy=yes; break; fi
done
[ $healthy = yes ] || { cat "$work/serve.log"; fail "it does not call itself healthy"; }
inside=$("${podman[@]}" inspect --format '{{.State.Pid}}' "$container")
nsenter --target "$inside" --net curl --silent --show-error --fail --data-binary @samples/astronaut.jpg \
  http://127.0.0.1:8080/v1/analyze >"$work/served.json" || fail "it does not serve"
# Ctrl-C and `podman stop` end it with status 0.
"${podman[@]}" stop --time 20 "$container" >/dev/null

"$spiga" analyze samples/astronaut.jpg --precision f32 --quality fast >"$work/native.json"
"$spiga" analyze samples/astronaut.jpg >"$work/native-served.json"
/usr/bin/python3 -B tests/support/same_faces.py "$work/native.json" "$work/command.json" 0.05
/usr/bin/python3 -B tests/support/same_faces.py "$work/native-served.json" "$work/served.json" 0.05
echo "the container's faces are the native ones"
