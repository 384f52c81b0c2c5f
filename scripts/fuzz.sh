#!/bin/bash
# fuzz.sh [SECONDS [TARGET...]]: fuzzes what comes in from outside, each target for so long (600 s of
# one processor). A finding ends it. It starts from fuzz/seeds, and the corpora stay in target/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
seconds=${1:-600}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- aegis answer arguments configuration csv freeipa google_authenticator line message oath otpauth \
  otpauth_migration privacyidea pskc record reply secret uri
command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
for target in "$@"; do
  corpus=$PWD/target/fuzz/corpus/$target
  mkdir -p "$corpus"
  seeds=()
  [ ! -d "fuzz/seeds/$target" ] || seeds=("fuzz/seeds/$target")
  # Stable Rust has coverage, and no sanitizer.
  cargo fuzz run -s none --target-dir target/fuzz "$target" "$corpus" "${seeds[@]}" -- \
    -max_total_time="$seconds" -max_len=4096 -artifact_prefix="$PWD/target/fuzz/" -print_final_stats=1 -verbosity=0
done
