#!/bin/bash
# harness.sh [CARGO-OPTION...]: builds the end-to-end tests, and the Rust programs that they and the benchmarks act with,
# into target/tests; and besides what the options name, such as --lib. Writes the paths of the tests to
# target/tests.programs.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
mkdir -p target/tests
# All members of the workspace, whatever is wanted: cargo builds a crate again for each set of features.
cargo test --profile e2e --locked --workspace --no-run --test end_to_end --example generate_store "$@" 2>&1 |
  tee target/tests.build
sed -n 's/^ *Executable \(unittests src\/lib.rs\|main.rs\) (\(.*\))$/\2/p' target/tests.build >target/tests.programs
cp target/e2e/examples/generate_store target/e2e/actors target/tests/
for program in bus_latency clients64 fake_totpd find_seeds user_flood peer_call guess_flood; do
  ln -f target/tests/actors target/tests/$program
done
# The module with a way to make it panic, for the test that shows what happens then.
cargo build --profile e2e --locked -p pam_totp --features panic-on-demand
cp target/e2e/libpam_totp.so target/tests/pam_totp_panicking.so
