#!/bin/bash
# test.sh [FILTER]: all tests, or the end-to-end tests whose names contain FILTER.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin
[ "$(id -u)" = 0 ] || { echo "test.sh: the tests need root: they make disposable copies of the machine" >&2; exit 1; }

make build
scripts/harness.sh
scripts/programs.sh
if [ $# -eq 0 ]; then
  cargo test --locked --workspace --exclude tests -- --skip campaign
  # These say how much they tried.
  cargo test --locked -p totpd --lib campaign -- --nocapture
fi
# Hosts with systemd, where this machine can boot them.
booted=(); cannot=""
if cannot=$(scripts/host.sh --possible); then
  scripts/roots.sh bookworm trixie
else
  booted=(--skip booted)
fi
cargo test --locked --no-fail-fast -p tests -- --test-threads 2 "${booted[@]}" "$@"
[ -z "$cannot" ] || echo "test: hosts with systemd were NOT tried: $cannot"
