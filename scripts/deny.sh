#!/bin/bash
# deny.sh: what cargo-deny says of the dependencies, by deny.toml: licenses, sources, bans, and known vulnerabilities. The
# last need the database of RustSec, which is fetched from GitHub or was fetched before.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
cargo deny --version >/dev/null 2>&1 ||
  { echo "deny: cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 1; }
cargo deny --locked --log-level error check bans licenses sources
fetched=("${CARGO_HOME:-$HOME/.cargo}"/advisory-dbs/*/.git)
if cargo deny --locked fetch db >/dev/null 2>&1; then
  cargo deny --locked check advisories
elif [ -e "${fetched[0]}" ]; then
  echo "deny: the database of advisories cannot be fetched; the one that was fetched before is used" >&2
  cargo deny --locked check --disable-fetch advisories
elif [ "${1:-}" = --offline ]; then
  echo "deny: advisories were NOT checked: the database cannot be fetched" >&2
else
  echo "deny: advisories were NOT checked: the database cannot be fetched (deny.sh --offline accepts that)" >&2
  exit 1
fi
