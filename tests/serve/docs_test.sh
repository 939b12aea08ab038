#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# docs_test.sh SPIGA WORK: runs the first two examples of docs/http.md, the server and its clients, on a free port.
# In the project's root; exits with 77 where curl is not installed.
set -euo pipefail
spiga=$1 work=$2
command -v curl >/dev/null || { echo "SKIPPED: curl is not installed"; exit 77; }
mkdir -p "$work"
rm -f "$work"/*
ln -sfn "$PWD/samples" "$PWD/models" "$work"
root=$PWD
cd "$work"
# example N: the text of the N-th block of commands.
example() { awk -v wanted="$1" '/^```/ {inside = !inside && /^```sh/; found += inside; next} inside && found == wanted' "$root/docs/http.md"; }
export PATH=${spiga%/*}:$PATH

command=$(example 1)
[ "$command" = "spiga serve --port 8080" ]
# shellcheck disable=SC2086 # several words
exec 3< <(exec ${command/8080/0} 2>&1)
server=$!
trap 'kill $server' EXIT
read -r listening <&3
port=${listening##*:}
[ "$(curl -sS "http://127.0.0.1:$port/readyz")" = ready ]
bash -euo pipefail -c "$(example 2 | sed "s/:8080/:$port/; s/^curl/curl -sS --fail/")" >answer.json
python3 - <<'END'
import json
answer = json.load(open("answer.json"))
assert len(answer["faces"]) == 1, answer
assert open("seen.jpg", "rb").read(3) == b"\xff\xd8\xff"
END
echo passed
