#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# options_test.sh SPIGA: every option that a command's --help names is in the manual page and offered by the bash
# completion, and the other way round; and every help has an example. In the project's root.
set -euo pipefail
spiga=$1
. packaging/spiga.bash-completion

named() { grep -oE -- '--[a-z][a-z-]*' | sort -u; }
of_help() { grep -oE '^ +(-[a-zA-Z],)?--[a-z][a-z-]*' | named | grep -vxE -- '--help(-all)?'; }
# of_manual TITLE: the options of the section that begins so.
of_manual() {
  awk -v title=".SS $1" '/^\.S[SH]/ {on = index($0 " ", title " ") == 1} on && /^\.B[IR]? / {print}' packaging/spiga.1 |
    sed 's/\\-/-/g' | named
}
# The completion asks the program, here for the help that we have.
known() { echo "$help"; }
of_completion() {
  COMP_WORDS=(known "$1" --) COMP_CWORD=2
  _spiga
  printf '%s\n' "${COMPREPLY[@]}" | sort -u | grep -vxE -- '--help(-all)?'
}

failed=0
complain() {
  [ -z "$2" ] && return
  echo "spiga $command: $1:" $2
  failed=1
}
network=$(of_manual Network)
commands=$("$spiga" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p')
[ "$(wc -w <<<"$commands")" -ge 10 ]
for command in $commands; do
  help=$("$spiga" "$command" --help 2>/dev/null) || help=
  [ -n "$help" ] || { echo "spiga $command: left out, as the trainer is not built"; continue; }
  [ "$command" != export ] || help+=$'\n'$("$spiga" export --onnx --help)
  grep -qE '^Examples?:' <<<"$help" || complain "no example in its help" "$command"
  options=$(of_help <<<"$help")
  manual=$(of_manual "spiga $command")
  complain "not in the manual page" "$(comm -23 <(echo "$options") <(sort -u <<<"$manual"$'\n'"$network"))"
  complain "in the manual page only" "$(comm -13 <(echo "$options") <(echo "$manual"))"
  complain "not completed" "$(comm -23 <(echo "$options") <(of_completion "$command"))"
  complain "completed only" "$(comm -13 <(echo "$options") <(of_completion "$command"))"
done
exit $failed
