#!/bin/bash
# msrv.sh: checks that the oldest Rust that the workspace names (rust-version in Cargo.toml) builds all of it. Installs
# that toolchain with rustup if it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
command -v rustup >/dev/null || { echo "msrv: rustup is missing: it brings Rust $oldest" >&2; exit 1; }
rustup run "$oldest" cargo --version >/dev/null 2>&1 || rustup toolchain install "$oldest" --profile minimal
rustup run "$oldest" cargo check --locked --workspace --all-targets --target-dir target/msrv
echo "msrv: Rust $oldest builds all of the workspace"
