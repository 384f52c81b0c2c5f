#!/bin/bash
# test.sh [NAME...]: runs what `make test` or `make test-NAME` has built: all tests but mandatory_access, power_cut and
# booted_doors (make test-machines), or the end-to-end tests of tests/NAME.rs or whose names contain NAME.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin
[ "$(id -u)" = 0 ] || { echo "test.sh: the tests need root: they make disposable copies of the machine" >&2; exit 1; }

# Tests count the open files of their programs, so none may come from the caller of this script.
for file in /proc/self/fd/*; do
  number=${file##*/}
  [ "$number" -le 2 ] || [ "$number" = 255 ] || eval "exec $number>&-"
done

rm -rf target/layers
EXTRA=target/tests BUILT=target/tested scripts/machine.sh --fill "$PWD/target/layers/plain"
[ ! -e target/programs/made ] ||
  LAYER=$PWD/target/programs EXTRA=target/tests BUILT=target/tested scripts/machine.sh --fill "$PWD/target/layers/programs"

options=()
# Hosts with systemd, where this machine can boot them.
cannot=$(scripts/host.sh --possible) || options+=(--skip systemd:: --skip instructions::hosts:: --skip booted_doors::)
# Hosts with all greeters take minutes to make: only where they are asked for.
[ -e target/roots/trixie-doors.made ] || options+=(--skip booted_doors::)
# authselect is built from its source, where that can be had.
[ -e target/tests/authselect-1.7.1.tar ] || options+=(--skip authselect::)
# Kernels take minutes to boot without hardware for it: only where they are asked for.
for name in mandatory_access power_cut; do
  case " $* " in *" $name "*) ;; *) options+=(--skip "$name::") ;; esac
done
program=$(grep /end_to_end- target/tests.programs)
failed=0
if [ $# -eq 0 ]; then
  # What is no end-to-end test. The campaigns take minutes of a processor, beside tests that wait.
  cargo test --profile e2e --locked --workspace --lib --bins --test oathtool --no-fail-fast -- --skip campaign || failed=1
  while read -r unit; do options+=(--beside "$unit" campaign); done < <(grep -v /end_to_end- target/tests.programs)
fi
for name in "$@"; do
  [ ! -e "tests/$name.rs" ] || name=$name::
  options+=("$name")
done
target/e2e/run_tests "$program" "${options[@]}" || failed=1
[ -z "$cannot" ] || echo "test: hosts with systemd were NOT tried: $cannot"
[ -e target/tests/authselect-1.7.1.tar ] || echo "test: authselect was NOT tried: its source cannot be had (AUTHSELECT_SOURCE)"
[ $# -gt 0 ] || echo "test: AppArmor and SELinux in force, a power cut, and all doors of booted hosts, are tried by: make test-machines"
[ $failed = 0 ] || echo "test: FAILED"
exit $failed
