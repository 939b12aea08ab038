#!/usr/bin/env bash
# Formats our C++ with clang-format; with --check, names the files that differ and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i); [ "${1:-}" = --check ] && mode=(--dry-run --Werror)
git ls-files -co --exclude-standard '*.h' '*.cc' | xargs -r clang-format "${mode[@]}"
