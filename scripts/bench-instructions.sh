#!/bin/bash
# bench-instructions.sh [--write]: counts instructions with valgrind's callgrind, and compares them with
# tests/bench/instructions.toml: of the daemon for a Begin and a Verify over the private socket, and of the module with
# loading. A count that grew by more than 5 % fails, and so does a Begin that costs unknown, unenrolled or throttled
# users 5 % more or less than enrolled ones. --write takes the counts of now, and writes them to
# docs/reference/performance.md too. BUILT: the built files.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin:/sbin
counts=$(mktemp) output=$(mktemp)
trap 'rm -f "$counts" "$output"' EXIT
EXTRA=target/tests BUILT=${BUILT:-target/release} scripts/machine.sh \
  /bin/bash -s <scripts/bench-instructions-inside.sh >"$counts"
python3 scripts/bench-instructions.py tests/bench/instructions.toml "$counts" "$@" | tee "$output"
[ "${1:-}" != --write ] || scripts/bench-table.py "$output" docs/reference/performance.md
