#!/bin/bash
# prepare.sh check|demo|test|bench|bench-instructions|lint|need-NEED...: installs what is missing for that, and says so first. For "check"
# it says what is missing, and installs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

# program or file that tells whether a thing is there : Debian package that brings it
build="cc:gcc make:make /usr/include/stdio.h:libc6-dev /usr/include/security/pam_modules.h:libpam0g-dev"
machine="dbus-daemon:dbus sshd:openssh-server ssh:openssh-client ip:iproute2 unshare:util-linux
         mount:mount useradd:passwd login:login sudo:sudo oathtool:oathtool socat:socat script:bsdutils"
# What the tests of tests/needs.toml need.
tests_machine="$build $machine zbarimg:zbar-tools rsvg-convert:librsvg2-bin strace:strace faketime:faketime expect:expect
               gdbus:libglib2.0-bin /usr/lib/python3/dist-packages/dbus:python3-dbus age:age mkfs.ext4:e2fsprogs
               mkfs.btrfs:btrfs-progs mkfs.xfs:xfsprogs
               /usr/share/doc/libpam-google-authenticator:libpam-google-authenticator /usr/share/doc/libpam-oath:libpam-oath
               sqlite3:sqlite3 pgrep:procps /usr/include/systemd/sd-bus.h:libsystemd-dev"
tests_packages="dpkg-shlibdeps:dpkg-dev rpmbuild:rpm /usr/share/selinux/devel/Makefile:selinux-policy-dev"
tests_authselect="git:git autoreconf:autoconf automake:automake libtoolize:libtool autopoint:autopoint msgfmt:gettext
                  pkg-config:pkg-config /usr/include/popt.h:libpopt-dev /usr/include/selinux/selinux.h:libselinux1-dev"
tests_hosts="mmdebstrap:mmdebstrap systemd-nspawn:systemd-container swtpm:swtpm"
needs=""
for what in "$@"; do
  case $what in
  check) needs+=" $build" ;;
  demo) needs+=" $build $machine" ;;
  test) needs+=" $tests_machine $tests_packages $tests_hosts $tests_authselect" ;;
  need-machine) needs+=" $tests_machine" ;;
  need-packages) needs+=" $tests_packages" ;;
  need-programs) ;;
  need-authselect) needs+=" $tests_authselect" ;;
  need-hosts | need-doors) needs+=" $tests_hosts" ;;
  need-kernel | kernel) needs+=" $tests_hosts qemu-system-x86_64:qemu-system-x86 mkfs.ext4:e2fsprogs
    /usr/share/selinux/devel/Makefile:selinux-policy-dev" ;;
  bench) needs+=" $tests_machine /usr/share/doc/python3:python3 dpkg-shlibdeps:dpkg-dev" ;;
  bench-instructions) needs+=" $build $machine /usr/share/doc/python3:python3 valgrind:valgrind" ;;
  lint) needs+=" $build python3:python3 mandoc:mandoc shellcheck:shellcheck systemd-analyze:systemd
    lintian:lintian apparmor_parser:apparmor rpmbuild:rpm rpmlint:rpmlint
    /usr/share/selinux/devel/Makefile:selinux-policy-dev" ;;
  *) echo "usage: prepare.sh check|demo|test|bench|bench-instructions|lint|need-NEED..." >&2; exit 2 ;;
  esac
done

PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin
missing=()
for pair in $needs; do
  thing=${pair%%:*}
  [ -e "$thing" ] || command -v "$thing" >/dev/null || missing+=("${pair##*:}")
done

if [ "$*" = check ]; then
  command -v cargo >/dev/null || missing+=(rustup)
  [ "${#missing[@]}" -eq 0 ] || { echo "check: missing: install ${missing[*]}" >&2; exit 1; }
  exit 0
fi

if [ "${#missing[@]}" -gt 0 ]; then
  echo "prepare: missing, to be installed with apt-get: ${missing[*]}"
  [ "$(id -u)" = 0 ] || { echo "prepare: run this as root, or install them yourself" >&2; exit 1; }
  command -v apt-get >/dev/null || { echo "prepare: no apt-get here: install them yourself" >&2; exit 1; }
  # Nothing that is installed for this may start: an ssh server least of all.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    trap 'rm -f $policy' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends "${missing[@]}"
  case " ${missing[*]} " in *" openssh-server "*)
    echo "prepare: openssh-server is new here: it is left switched off"
    ! command -v systemctl >/dev/null || systemctl disable ssh.service ssh.socket 2>/dev/null || true ;;
  esac
fi

# A Rust toolchain that is new enough.
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
found=$(cargo --version 2>/dev/null | cut -d' ' -f2 || true)
if [ -z "$found" ] || [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n1)" != "$wanted" ]; then
  echo "prepare: cargo ${found:-is missing}${found:+ is too old}: Rust $wanted or later is to be installed with rustup"
  if ! command -v rustup >/dev/null; then
    if apt-cache show rustup >/dev/null 2>&1; then
      DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends rustup
    else
      command -v curl >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends curl ca-certificates
      curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --no-modify-path
    fi
  fi
  rustup toolchain install stable --profile minimal
  rustup default stable
fi
