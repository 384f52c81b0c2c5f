#!/usr/bin/env python3
"""words.py [ROOT]: prints where a person would read a word of words.txt (FILE:LINE: WORD), and fails if there is one. Looks
at all Rust, documents, scripts and descriptions, and at all of packaging/, scripts/ and tests/harness/."""

import re
import subprocess
import sys
from pathlib import Path

here = Path(__file__).resolve().parent
root = Path(sys.argv[1] if len(sys.argv) > 1 else here.parent.parent)
words = [line for line in (here / "words.txt").read_text().splitlines() if line]
# What is between the words of a phrase may be the end of a line, and the sign of a comment on the next.
between = r"(?:\s|\n\s*(?://[/!]?|##?|\*|\.\\\"|dnl)\s*)+"
forbidden = re.compile(r"(?<![\w-])(?:" + "|".join(between.join(word.split()) for word in words) + r")(?![\w-])", re.I)
listed = subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True)
if listed.returncode == 0:
    files = [root / name for name in listed.stdout.splitlines()]
else:
    files = [path for path in root.rglob("*") if path.is_file()]
SUFFIXES = (".rs", ".md", ".sh", ".toml", ".c", ".service", ".socket", ".policy", ".py", ".xml", ".yml", ".mk")
found = 0
for path in files:
    name = path.relative_to(root)
    is_read = (
        path.suffix in SUFFIXES
        or name.parts[0] in ("packaging", "scripts")
        or name.parts[:2] == ("tests", "harness")
        or name.name == "Makefile"
    )
    if not is_read or not path.is_file() or name.parts[:2] == ("scripts", "lint"):
        continue
    text = path.read_text()
    for match in forbidden.finditer(text):
        found += 1
        print(f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {' '.join(match[0].split())}")
if found:
    print(f"words: {found} words of scripts/lint/words.txt", file=sys.stderr)
sys.exit(found > 0)
