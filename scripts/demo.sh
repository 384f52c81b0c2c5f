#!/bin/bash
# demo.sh: a real ssh login gated by a code, with the real daemon, in a disposable copy of this
# machine. At a terminal it stays open to play with; without one it logs in by itself, and exits 0
# only if a right code got in and a wrong and a used one did not.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin
[ "$(id -u)" = 0 ] || { echo "demo.sh: run this as root: only root can make a copy of the machine" >&2; exit 1; }
echo "demo: building (the first time takes a minute or two)"
make -s build
mode=alone
[ ! -t 0 ] || [ ! -t 1 ] || mode=terminal
mkdir -p target/demo
cp scripts/demo-inside.sh tests/harness/askpass target/demo/
EXTRA=target/demo exec scripts/machine.sh /opt/tests/demo-inside.sh "$mode"
