#!/bin/bash
# screens.sh: draws docs/screens/*.svg, what people see, from the real programs. The keys in them are those of
# a machine that is gone.
set -euo pipefail
cd "$(dirname "$0")/.."
make need-machine need-programs TESTED=release
shots=$(mktemp -d)
trap 'rm -r "$shots"' EXIT
# shellcheck disable=SC2016  # it is for the shell inside
LAYER=$PWD/target/programs BUILT=target/tested EXTRA=target/tests DISK=$shots scripts/machine.sh bash -c '
  new=/opt/tests/type-enrollment
  as() { setpriv --reuid "$1" --regid "$1" --init-groups --reset-env "${@:2}"; }
  echo LANG=C.UTF-8 >/etc/default/locale
  $new x x 000000 totpctl enroll alice >/disk/enroll
  as bob $new bobpw x right totpctl enroll >/disk/self-service
  totpctl recovery-codes alice >/disk/recovery-codes
  sed -i "s/^@include common-auth/&\nauth required pam_totp.so enroll/" /etc/pam.d/su /etc/pam.d/sshd
  code=$(grep -o "....-....-....-...." /disk/recovery-codes | head -n 1)
  as bob $new alicepw "$code" right su alice -c "echo in as alice" >/disk/recovery-login
  $new carolpw x right ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
    carol@127.0.0.1 "echo in as carol" >/disk/first-login
  totpctl show alice >/disk/show
'
mkdir -p docs/screens
for shot in "$shots"/*; do
  python3 - "$shot" >"docs/screens/${shot##*/}.svg" <<'DRAW'
import html, re, sys
text = open(sys.argv[1], encoding="utf-8").read()
lines = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).replace("\r", "").rstrip().split("\n")
width, height = 8 * max(80, *map(len, lines)) + 20, 16 * len(lines) + 20
print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
      f'<rect width="100%" height="100%" fill="#111"/>'
      '<g font-family="DejaVu Sans Mono, monospace" font-size="13.3" fill="#eee" xml:space="preserve">')
for row, line in enumerate(lines):
    y = 16 * row + 10
    # Blocks are drawn and not written: no font has them without gaps.
    for column, c in enumerate(line):
        top, tall = {"█": (0, 16), "▀": (0, 8), "▄": (8, 8)}.get(c, (0, 0))
        if tall:
            print(f'<rect x="{8 * column + 10}" y="{y + top}" width="8" height="{tall}" '
                  'shape-rendering="crispEdges"/>')
    words = re.sub("[█▀▄]", " ", line)
    if words.strip():
        print(f'<text x="10" y="{y + 12}" textLength="{8 * len(words)}">{html.escape(words)}</text>')
print("</g></svg>")
DRAW
done
ls docs/screens
