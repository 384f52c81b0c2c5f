#!/bin/bash
# vendor.sh [FOLDER]: puts the sources of all dependencies under FOLDER (vendor). `make build` takes them from there if it
# is that one, and needs no network. Needs the network once.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
folder=${1:-vendor}
rm -rf "$folder"
mkdir -p "$folder"
# The words that cargo prints itself name the place where this is unpacked, and a registry that is set up here.
cargo vendor --quiet --locked --versioned-dirs "$folder" >/dev/null
# Cargo takes that from where the folder is.
cat >"$folder/config.toml" <<CONFIG
[source.crates-io]
replace-with = "vendored-sources"

[source.vendored-sources]
directory = "${folder##*/}"
CONFIG
# A cargo that has downloaded nothing finds all of them there.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup} CARGO_HOME=$home \
  cargo metadata --quiet --locked --offline --config "$folder/config.toml" --format-version 1 >/dev/null ||
  { echo "vendor: not all that the build needs is under $folder" >&2; exit 1; }
echo "vendor: $(find "$folder" -mindepth 1 -maxdepth 1 -type d | wc -l) crates under $folder/"
