#!/usr/bin/env bash
# scripts/timed.sh WHAT COMMAND...: runs the command, then says on standard error how long it took.
set -euo pipefail
what=$1
shift
start=$SECONDS
"$@"
echo "$what took $((SECONDS - start)) s" >&2
