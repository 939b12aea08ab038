#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# scripts/soak.sh HOURS [PROGRAM [MEGABYTES]]: `spiga serve` under mixed load for HOURS (0.01 is a try): pictures of changing sizes and
# formats whose answers are compared with those of `spiga analyze`, broken bodies, forms, slow clients, clients that
# leave, SIGTERM in the middle of it every few minutes. Ends with status 1 where an answer is wrong, the server dies or
# does not end by itself, resident memory is over MEGABYTES (400) or files stay open. Progress every minute.
set -euo pipefail
hours=${1:?usage: scripts/soak.sh HOURS [PROGRAM [MEGABYTES]]}
cd "$(dirname "$0")/.."
exec python3 scripts/soak.py --hours "$hours" --spiga "${2:-build/release/bin/spiga}" --megabytes "${3:-400}"
