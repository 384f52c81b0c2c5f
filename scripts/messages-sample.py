#!/usr/bin/env python3
"""messages-sample.py [SEED]: 30 messages of the programs, as docs/development/messages-sample.md has them. A reader who knows
sshd and sudo, but not this project, has to understand each. With --write it writes them to the page, and with --check it
fails if the page has others.

A hash chooses them, so a new message changes at most one row."""
import hashlib
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lint"))
from rust_source import strings, without_comments, without_tests

FOLDERS = ["pam_totp", "totpctl", "totpd"]
COUNT = 30
PAGE = pathlib.Path("docs/development/messages-sample.md")
# Calls that look for a text of another program.
SEARCHES = r"(?:contains|starts_with|ends_with|strip_prefix|strip_suffix|split_once|find)\("
# A file of tests that another file declares.
TESTS = re.compile(r"#\[cfg\(test\)\]\n(?:pub(?:\([^)]*\))? )?mod ([a-z_]+);")


def sources():
    listed = ["git", "ls-files"] + [f"{folder}/**/src/*.rs" for folder in FOLDERS] + [f"{folder}/src/**" for folder in FOLDERS]
    paths = sorted(set(subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()))
    texts = {path: pathlib.Path(path).read_text() for path in paths if path.endswith(".rs")}
    tests = set()
    for path, text in texts.items():
        folder = re.sub(r"(/(lib|main))?\.rs$", "", path)
        tests.update(f"{folder}/{name}.rs" for name in TESTS.findall(text))
    return {path: text for path, text in texts.items() if path not in tests and "test" not in path and "fixtures" not in path}


def is_searched(text, start):
    before = text[:start]
    name = re.search(r"(?:let|const) (\w+)(?:: &str)? = $", before)
    return re.search(SEARCHES + r"\s*$", before) or name and re.search(SEARCHES + name[1] + r"\)", text)


def messages():
    for path, text in sources().items():
        text = without_comments(without_tests(text))
        for start, message in strings(text):
            message = message.replace("\\n", " ").strip()
            # A message has blanks between its words. A name of a file has none.
            words = [word for word in message.split() if re.search(r"[A-Za-z]{2,}", word)]
            is_sentence = len(words) >= 5 and re.match(r"^[{A-Za-z]", message)
            if is_searched(text, start):
                continue
            if is_sentence and not re.search(r"\||=ok|SHA256:", message):
                yield message, path


def sample(seed):
    found = dict(messages())
    chosen = sorted(found, key=lambda message: hashlib.sha256(f"{seed} {message}".encode()).digest())[:COUNT]
    return "".join(f"| {message} | `{found[message]}` |\n" for message in chosen)


option = sys.argv[1] if len(sys.argv) > 1 else "17"
header = "| message | file |\n|---|---|\n"
if option in ("--write", "--check"):
    page = PAGE.read_text()
    wanted = page.split(header)[0] + header + sample("17")
    if option == "--write":
        PAGE.write_text(wanted)
    elif page != wanted:
        sys.exit(f"messages-sample: {PAGE} has messages of an earlier state: run scripts/messages-sample.py --write")
else:
    print(header + sample(option), end="")
