#!/usr/bin/env python3
"""sentences.py [ROOT]: prints the sentences of more than 20 words that a person would read (FILE:LINE: WORDS: SENTENCE), and
fails if there is one. Looks at documents, pages of the manual, the texts of --help, and the messages of the programs.

Code in a line is one word, and so is a list of it: `a`, `b` and `c`. A cell of a table is a text of its own. In a message a
semicolon ends a sentence, since advice follows it."""

import re
import subprocess
import sys
from pathlib import Path

from rust_source import strings, without_comments, without_tests

MAX_WORDS = 20
# What stands for a piece of code, in a text whose words are counted.
CODE = "\N{REPLACEMENT CHARACTER}"
# Old names beside new ones, which are sentences of code.
EXEMPT = ("docs/development/renamed-tests.md", "docs/development/messages-sample.md")

# A name in lower case may begin a sentence, so the case of what follows says nothing.
END = re.compile(r"[.!?][)\"'”*_]*\s+")
# What stands before the text of a section, as a heading does.
LABEL = r"^(?:What it means|Why it matters|What to do): "
ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|cf|vs|No)|^\d+)\.$")


def sentences(text, is_message=False):
    """The sentences of a block of text, in which each piece of code is CODE."""
    # A list of code, each piece with its gloss.
    item = rf"\(?{CODE}[\w/'’*-]*\)?(?: \([^()]*\))?"
    text = re.sub(rf"{item}(?:(?:,|,? and|,? or|,? to|/)\s*{item})+", CODE, " ".join(text.split()))
    text = re.sub(LABEL, "", text)
    start = 0
    for end in END.finditer(text + " "):
        part = text[start : end.end()].strip()
        if part and not ABBREVIATION.search(part):
            yield part
            start = end.end()
    if text[start:].strip():
        yield text[start:].strip()


def count(sentence):
    return sum(bool(re.search(rf"[A-Za-z0-9{CODE}]", word)) for word in sentence.split())


def inline(text):
    """Markdown without code, links and comments."""
    # A message of the program that is a sentence ends one here too.
    text = re.sub(r"(`+)[^`]* [^`]*\w\.\1", CODE + ".", text)
    text = re.sub(r"(`+).+?\1", CODE, text, flags=re.S)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"<https?:[^>]*>|https?:\S+", CODE, text)


def markdown(text):
    """The blocks of a document: (line, text)."""
    text = re.sub(r"<!--.*?-->", lambda found: "\n" * found[0].count("\n"), text, flags=re.S)
    block, start, fence = [], 0, None

    def flush():
        nonlocal block
        found, block = "\n".join(block), []
        if found.strip():
            yield start, inline(found)

    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if fence:
            fence = None if stripped.startswith(fence) else fence
            continue
        if match := re.match(r"(```+|~~~+)", stripped):
            yield from flush()
            fence = match[1]
            continue
        if stripped.startswith("|"):
            yield from flush()
            for cell in re.split(r"(?<!\\)\|", stripped.strip("|")):
                yield number, inline(cell)
            continue
        # An indented block of code, but not the next line of an item.
        if line.startswith("    ") and not block:
            continue
        item = re.match(r"(?:[-*+]|\d+\.)\s+", stripped)
        if not stripped or item or stripped.startswith("#"):
            yield from flush()
        if not block:
            start = number
        if stripped.startswith("#"):
            yield number, inline(stripped.lstrip("# "))
        elif stripped:
            block.append(stripped[item.end() if item else 0 :].lstrip("> "))
    yield from flush()


# Macros of mdoc whose arguments are code, and those whose arguments are text.
MDOC_CODE = "Cd Cm Dv Ev Fl Ic Li Nm Pa Ql Xr Ar Sx Op"
MDOC_TEXT = "Dq Pq Em Sy"


def manual(text):
    """The blocks of a page of the manual: (line, text)."""
    block, start, is_code = [], 0, False

    def flush():
        nonlocal block
        found, block = " ".join(block), []
        # Punctuation is an argument of a macro.
        found = re.sub(r"\s+([.,:;!?)])", r"\1", found)
        if found.strip():
            yield start, found

    for number, line in enumerate(text.splitlines(), 1):
        macro, _, rest = line[1:].partition(" ") if line.startswith(".") else ("", "", line)
        if macro in ("Bd", "Ed"):
            yield from flush()
            is_code = macro == "Bd" and "literal" in rest or macro == "Bd" and "ragged" in rest
            continue
        if is_code or macro == '\\"':
            continue
        if macro and macro not in (MDOC_CODE + " " + MDOC_TEXT).split():
            yield from flush()
            if macro == "Nd":
                yield number, rest
            continue
        if not block:
            start = number
        if macro in MDOC_CODE.split():
            # Each name is a piece of code; marks behind them stay.
            marks = re.search(r"(?:\s+[.,:;!?)])*$", rest)
            block.append(CODE + marks[0].replace(" ", ""))
        elif macro == "Pq":
            block.append("(" + re.sub(rf"\b({MDOC_CODE.replace(' ', '|')}) (\S+)", CODE, rest) + ")")
        else:
            block.append(re.sub(r"\\&|\\e|\\", "", rest))
    yield from flush()


def rust(path, text):
    """The messages of a file, and its doc comments if they are texts of --help: (line, text)."""
    text = without_tests(text)
    if "totpctl/src/cli" in path.as_posix():
        comment = r"(?m)(?:^[ ]*///[^\n]*\n)+"
        for found in re.finditer(comment, text):
            # Of functions and types that nobody sees, the compiler of the documentation has the text.
            if not re.match(r"\s*(?:#\[(?:arg|command)|pub\(crate\) \w+: |[A-Z]\w+[ ({,])", text[found.end() :]):
                continue
            line = text.count("\n", 0, found.start()) + 1
            for start, block in markdown(re.sub(r"(?m)^[ ]*/// ?", "", found[0])):
                yield line + start - 1, block
    code = without_comments(text)
    for start, message in strings(code):
        # A value that follows a full stop is a sentence of its own.
        message = re.sub(r"\{[^}]*\}", CODE, re.sub(r"\.(\{[^}]*\}) ", r". \1. ", message))
        for block in re.split(r"\\n|;\s", message):
            # A quoted command is one word.
            yield code.count("\n", 0, start) + 1, re.sub(r'"[^"]*"', CODE, block)


def files(root):
    listed = subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True)
    if listed.returncode == 0:
        return [Path(name) for name in listed.stdout.splitlines()]
    return [path.relative_to(root) for path in root.rglob("*") if path.is_file()]


def blocks(name, text):
    if name.suffix == ".md" and name.as_posix() not in EXEMPT:
        return markdown(text)
    if name.parts[:2] == ("packaging", "man"):
        return manual(text)
    is_test = any(part.startswith("test") or part in ("fixtures.rs", "examples", "benches") for part in name.parts)
    if name.suffix == ".rs" and name.parts[0] in ("pam_totp", "totpctl", "totpd") and not is_test:
        return rust(name, text)
    return ()


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent.parent)
    found = 0
    for name in sorted(files(root)):
        path = root / name
        if name.suffix not in (".md", ".rs") and name.parts[0] != "packaging" or not path.is_file():
            continue
        for line, block in blocks(name, path.read_text()):
            for sentence in sentences(block):
                words = count(sentence)
                if words > MAX_WORDS:
                    found += 1
                    print(f"{name}:{line}: {words}: {sentence.replace(CODE, '`…`')}")
    if found:
        print(f"sentences: {found} sentences have more than {MAX_WORDS} words", file=sys.stderr)
    sys.exit(found > 0)


main()
