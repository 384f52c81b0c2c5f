#!/bin/bash
# check.sh: what anybody can try of the code, without root, a bus or a server: format, lints, unit tests of all crates.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
for component in fmt clippy; do
  cargo $component --version >/dev/null 2>&1 ||
    { echo "check: cargo $component is missing: rustup component add rustfmt clippy" >&2; exit 1; }
done
cargo fmt --all --check
cargo clippy --locked --workspace --all-targets -- -D warnings
# The campaigns take minutes: `make test` runs them.
cargo test --locked --workspace --lib --bins -- --skip campaign
# The examples in doc comments.
cargo test --locked --workspace --doc
