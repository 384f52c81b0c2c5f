#!/bin/bash
# bench.sh [policy|store|login|sizes...]: all benchmarks, or those. They print ratios measured in one run, and write them to
# docs/reference/performance.md. A target that is not met fails nothing. TEST_SCALE: 1 measures the store with a
# million users too; less than 0.1 does all with few rounds, to see that it works, and writes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin
[ $# -gt 0 ] || set -- policy store login sizes
page=(docs/reference/performance.md)
[[ ${TEST_SCALE:-0.1} != 0.0* ]] || page=()
output=$(mktemp)
trap 'rm -f "$output"' EXIT
for what in "$@"; do
  case $what in
  policy) cargo bench --locked -q -p totpd-core --bench policy ;;
  store) cargo bench --locked -q -p totpd-store --bench store ;;
  login)
    [ -e /dev/fuse ] || { echo "bench: /dev/fuse is missing, which the slow disk needs: modprobe fuse" >&2; exit 1; }
    rm -rf target/layers
    EXTRA=target/tests BUILT=target/tested scripts/machine.sh --fill "$PWD/target/layers/plain"
    cargo bench --locked -q -p tests --bench login
    ;;
  sizes) scripts/bench-sizes.sh ;;
  *) echo "usage: bench.sh [policy|store|login|sizes...]" >&2; exit 2 ;;
  esac | tee -a "$output"
done
echo
scripts/bench-table.py "$output" "${page[@]}"
[ ${#page[@]} -gt 0 ] || echo "bench: few rounds, so docs/reference/performance.md is as before"
