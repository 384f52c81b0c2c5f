#!/bin/bash
# harness.sh [CARGO-OPTION...]: builds the end-to-end tests, the Rust programs that they and the benchmarks act with, and
# totpd and totpctl, all of them in one graph: with the features that tests want besides, which add and change nothing.
# Copies the programs into target/tests, and writes the paths of the tests to target/tests.programs. The options name
# what is built besides, such as --lib.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
mkdir -p target/tests
# All members of the workspace, whatever is wanted: cargo builds a crate again for each set of features.
cargo test --profile e2e --locked --workspace --no-run --test end_to_end "$@" 2>&1 | tee target/tests.build
sed -n 's/^ *Executable \(unittests src\/lib.rs\|main.rs\) (\(.*\))$/\2/p' target/tests.build >target/tests.programs
cargo build --profile e2e --locked --workspace --test end_to_end --example generate_store --bins
cp target/e2e/examples/generate_store target/e2e/actors target/tests/
for program in bus_latency fake_totpd find_seeds clients64 guess_flood peer_call slow_disk user_flood; do
  ln -f target/tests/actors target/tests/$program
done
scripts/completions.sh target/e2e/totpctl target/e2e/completions
# The module is built by itself, as for a release: beside totpd, cargo would give it the contract with zbus. Its eleven
# crates take seconds. First with a way to make it panic, for the test that shows what happens then.
cargo build --profile e2e --locked -p pam_totp --features panic-on-demand
cp target/e2e/libpam_totp.so target/tests/pam_totp_panicking.so
cargo build --profile e2e --locked -p pam_totp
