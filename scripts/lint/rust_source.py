"""Rust files as text, for the lints and scripts that read them: their comments, tests and strings."""

import re

# Comments and literals. One pass, since a quote may stand in a comment, and "//" in a string. A character may be a quote too.
LITERAL = re.compile(r'//[^\n]*|/\*.*?\*/|\bb?r(#*)".*?"\1|"(?:\\.|[^"\\])*"|' r"'(?:\\[^\n]?[^'\n]*|[^'\\\n])'", re.S)
# The tests of a file, which end it.
TESTS = re.compile(r"#\[cfg\(test\)\]\n(?:#\[[^\n]*\]\n)*(?:pub(?:\([^)]*\))? )?mod \w+ \{.*", re.S)
# A string that starts and ends on one line, or whose lines end in a backslash.
STRING = re.compile(r'"((?:[^"\\\n]|\\(?:.|\n\s*))*)"')
# A statement of SQL, which no person reads.
QUERY = re.compile(r"(?:ALTER|BEGIN|CREATE|DELETE|DROP|INSERT|PRAGMA|SELECT|UPDATE|WITH)\b")


def without_tests(text):
    return TESTS.sub("", text)


def without_comments(text):
    """The text without lines of comments. Each line keeps its number."""
    return "\n".join("" if line.lstrip().startswith("//") else line for line in text.split("\n"))


def strings(code):
    """The strings that may be for people: (where it starts, its text)."""
    for found in STRING.finditer(code):
        text = re.sub(r"\\\n\s*", "", found[1]).replace('\\"', '"')
        if not QUERY.match(text.lstrip()):
            yield found.start(), text
