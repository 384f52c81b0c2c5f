#!/bin/bash
# miri.sh: runs the unit tests of the core in Miri, which finds undefined behavior. Needs a nightly toolchain with miri.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
if ! cargo +nightly miri --version >/dev/null 2>&1; then
  echo "miri: NOT run: there is no nightly toolchain with miri here:" >&2
  echo "miri:   rustup toolchain install nightly --component miri,rust-src" >&2
  exit 1
fi
# Miri is some hundred times slower. Proptest reads where it may note what failed.
export MIRIFLAGS="${MIRIFLAGS:-} -Zmiri-disable-isolation" PROPTEST_CASES="${PROPTEST_CASES:-4}"
cargo +nightly miri test --locked --target-dir target/miri -p totpd-core "$@"
