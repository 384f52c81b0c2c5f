#!/bin/sh
# completions.sh TOTPCTL FOLDER: writes the completion scripts that `make install` installs.
set -eu
mkdir -p "$2"
"$1" completions bash > "$2/totpctl.bash"
"$1" completions zsh > "$2/_totpctl"
"$1" completions fish > "$2/totpctl.fish"
