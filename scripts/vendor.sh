#!/bin/bash
# vendor.sh: puts the sources of all dependencies under vendor/. `make build` then takes them from there, and needs no
# network. Needs the network once.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
rm -rf vendor
mkdir -p target
# Named without the place where it is unpacked.
cargo vendor --quiet --locked --versioned-dirs vendor | sed 's|^directory = .*|directory = "vendor"|' >target/vendor.toml
mv target/vendor.toml vendor/config.toml
echo "vendor: $(find vendor -mindepth 1 -maxdepth 1 -type d | wc -l) crates under vendor/"
