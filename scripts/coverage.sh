#!/bin/bash
# coverage.sh: which lines the unit tests reach, by cargo-tarpaulin: a summary, and target/coverage/tarpaulin-report.html.
# The end-to-end tests run the installed programs and do not count.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
cargo tarpaulin --version >/dev/null 2>&1 ||
  { echo "coverage: cargo-tarpaulin is missing: cargo install --locked cargo-tarpaulin" >&2; exit 1; }
mkdir -p target/coverage
cargo tarpaulin --locked --workspace --exclude tests --lib --bins --engine llvm --skip-clean \
  --target-dir target/tarpaulin --out Html --out Lcov --output-dir target/coverage -- --skip campaign
