#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# unit_test.sh: systemd understands every line of packaging/spiga.service and calls its exposure 2.0 of 10 at most. In the
# project's root; exits with 77 where systemd-analyze is not installed.
set -euo pipefail
command -v systemd-analyze >/dev/null || { echo "SKIPPED: systemd-analyze is not installed"; exit 77; }
unit=packaging/spiga.service
# Whether the program and its manual page are installed is not the question here.
said=$(systemd-analyze verify "$unit" 2>&1 | grep "spiga.service:" | grep -vE "is not executable|man spiga" || true)
[ -z "$said" ] || { echo "$said"; exit 1; }
systemd-analyze security --offline=true --threshold=20 "$unit" | tail -1
