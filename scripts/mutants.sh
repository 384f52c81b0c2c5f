#!/bin/bash
# mutants.sh [SHARD [COUNT [ARGUMENT...]]]: changes the core in one place at a time, and runs its tests each time. A change
# that no test notices is in target/mutants/SHARD-COUNT/mutants.out/missed.txt; docs/development/mutants.md explains those
# that may stay. SHARD is 0 to COUNT - 1, so that a run can be divided and resumed.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
cargo mutants --version >/dev/null 2>&1 ||
  { echo "mutants: cargo-mutants is missing: cargo install --locked cargo-mutants" >&2; exit 1; }
shard=${1:-0} count=${2:-1}
output=target/mutants/$shard-$count
mkdir -p "$output"
# The tests compute many codes: to optimize a little saves more than it costs.
export CARGO_PROFILE_DEV_OPT_LEVEL=1
# fixtures.rs only serves tests.
cargo mutants --package totpd-core --exclude '**/fixtures.rs' --shard "$shard/$count" --jobs 1 \
  --output "$output" --cargo-arg=--locked "${@:3}"
