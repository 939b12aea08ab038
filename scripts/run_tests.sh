#!/usr/bin/env bash
# The tests of a preset, then the skipped ones by name with their reasons.
#   scripts/run_tests.sh PRESET [ctest options]
# With SPIGA_STRICT_SKIPS=1 a skipped test that tests/may_be_skipped.txt does not name is a failure: for machines that
# have all that the tests need.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?expected a test preset: release or asan}
shift
report=build/$preset/tests.xml
status=0
ctest --preset "$preset" --output-junit "$PWD/$report" "$@" || status=$?
/usr/bin/python3 scripts/skipped_tests.py "$report" tests/may_be_skipped.txt || status=$?
exit "$status"
