#!/usr/bin/env python3
"""messages-sample.py [SEED]: 30 messages of the programs, taken at random, as docs/development/messages-sample.md has
them. A reader who knows sshd and sudo, but not this project, has to understand each."""
import pathlib
import random
import re
import subprocess
import sys

FOLDERS = ["pam_totp", "totpctl", "totpd"]
COUNT = 30
QUERY = re.compile(r"^(ALTER|BEGIN|CREATE|DELETE|DROP|INSERT|PRAGMA|SELECT|UPDATE|WITH)\b")


def messages():
    listed = ["git", "ls-files"] + [f"{folder}/**/src/*.rs" for folder in FOLDERS] + [f"{folder}/src/**" for folder in FOLDERS]
    for path in sorted(set(subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split())):
        if not path.endswith(".rs") or "test" in path or "fixtures" in path:
            continue
        text = pathlib.Path(path).read_text().split("#[cfg(test)]\nmod tests {")[0]
        lines = ["" if line.lstrip().startswith("//") else line for line in text.splitlines()]
        # A string starts and ends on one line, or its lines end in a backslash.
        for found in re.finditer(r'"((?:[^"\\\n]|\\(?:.|\n\s*))*)"', "\n".join(lines)):
            message = re.sub(r"\\\n\s*", "", found.group(1)).replace('\\"', '"').replace("\\n", " ").strip()
            is_sentence = len(re.findall(r"[A-Za-z]{2,}", message)) >= 5 and re.match(r"^[{A-Za-z]", message)
            if is_sentence and not QUERY.match(message) and not re.search(r"\||=ok|SHA256:", message):
                yield message, path


found = list(dict.fromkeys(messages()))
random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 17).shuffle(found)
print("| message | file |\n|---|---|")
for message, path in found[:COUNT]:
    print(f"| {message} | `{path}` |")
