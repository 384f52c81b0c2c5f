#!/bin/bash
# bench.sh: all benchmarks. They print ratios measured in one run; nothing here can fail a build.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin
rm -rf target/layers
EXTRA=target/tests BUILT=target/tested scripts/machine.sh --fill "$PWD/target/layers/plain"
cargo bench --locked -q -p totpd-store --bench store
echo
cargo bench --locked -q -p tests --bench login
