#!/usr/bin/env bash
# Frames per second of `spiga analyze` on videos, program start and decoder included, no overlay; with two or more
# videos of the same size also what a further face costs, from the first to the last of them.
#   bench/video_speed.sh one-face.mp4 two-faces.mp4
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { sed -n 's/^# \?//p' "$0" | tail -n +2 >&2; exit 2; }
spiga=${SPIGA_BIN:-build/release/bin}/spiga
lines=$(mktemp) rows=$(mktemp)
trap 'rm -f "$lines" "$rows"' EXIT
printf '%-32s %7s %7s %8s %9s %12s\n' video frames faces seconds frames/s 'ms a frame'
for video in "$@"; do
  begin=$(date +%s.%N)
  "$spiga" analyze "$video" -o "$lines"
  end=$(date +%s.%N)
  awk -v name="$(basename "$video")" -v begin="$begin" -v end="$end" '
    { frames += 1; faces += gsub(/"landmarks"/, "") }
    END { seconds = end - begin
          printf "%-32s %7d %7.2f %8.1f %9.1f %12.2f\n", name, frames, faces / frames, seconds, frames / seconds,
          1000 * seconds / frames }' "$lines" | tee -a "$rows"
done
[ $# -lt 2 ] || awk 'NR == 1 { faces = $3; ms = $6 }
  END { if ($3 > faces) printf "a further face costs %.1f ms a frame\n", ($6 - ms) / ($3 - faces) }' "$rows"
