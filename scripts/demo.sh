#!/usr/bin/env bash
# Shows what spiga does: the faces of samples/astronaut.jpg as JSON, and a picture of them in build/demo/faces/.
# Other pictures may be named: scripts/demo.sh mine.jpg
set -euo pipefail
cd "$(dirname "$0")/.."
spiga=build/demo/bin/spiga
[ -x "$spiga" ] || { echo "demo: $spiga is not there; 'make demo' makes it" >&2; exit 3; }
if [ -z "${SPIGA_MODEL:-}" ] && [ ! -f models/default.safetensors ]; then
  echo "demo: models/default.safetensors is not there; models/README.md says where it comes from" >&2
  exit 3
fi
[ $# -gt 0 ] || set -- samples/astronaut.jpg
"$spiga" analyze "$@" --overlay build/demo/faces
echo "demo: the faces, drawn: $(cd build/demo/faces && pwd)/" >&2
