#!/usr/bin/env python3
"""bench-table.py OUTPUT [PAGE]: prints the figures of benchmarks, and writes them to the table of PAGE.

A benchmark prints a line for each figure: "row", what printed it, what was measured, the value, its unit, "at most" or
"at least" or nothing, and the target or nothing, with tabs between. OUTPUT holds such lines among others. In PAGE they
replace all rows of the same benchmark; rows of others stay."""

import sys

START = "<!-- made by make bench -->\n"
END = "<!-- end -->"
HEAD = "| what | measured | target | | by |\n|---|---|---|---|---|\n"


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".")


class Row:
    def __init__(self, line):
        word, self.by, self.what, value, self.unit, relation, bound = line.rstrip("\n").split("\t")
        value = float(value)
        self.measured = number(value) + self.unit
        self.target = self.met = ""
        if relation:
            is_met = value <= float(bound) if relation == "at most" else value >= float(bound)
            self.target = f"{relation} {number(float(bound))}{self.unit}"
            self.met = "met" if is_met else "**not met**"

    def of_page(self):
        measured = f"**{self.measured}**" if self.met == "**not met**" else self.measured
        cells = (self.what, measured, self.target, self.met, self.by)
        return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|\n"

    def of_terminal(self):
        verdict = f" ({self.target}) {self.met.strip('*')}" if self.target else ""
        return f"{self.what}: {self.measured}{verdict}"


def merged(table, rows):
    """The lines of a table, with the rows of each benchmark where its first row was, or else at the end."""
    by_benchmark = {}
    for row in rows:
        by_benchmark.setdefault(row.by, []).append(row.of_page())
    waiting, lines = dict(by_benchmark), []
    for line in table:
        by = line.rstrip().removesuffix(" |").rsplit("| ", 1)[-1]
        if by not in by_benchmark:
            lines.append(line)
        else:
            lines += waiting.pop(by, [])
    for new in waiting.values():
        lines += new
    return "".join(lines)


def write(path, rows):
    with open(path, encoding="utf-8") as file:
        page = file.read()
    before, rest = page.split(START)
    old, after = rest.split(END)
    table = merged(old.splitlines(keepends=True)[2:], rows)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + START + HEAD + table + END + after)


def main():
    with open(sys.argv[1], encoding="utf-8") as output:
        rows = [Row(line) for line in output if line.startswith("row\t")]
    if not rows:
        sys.exit(f"bench-table: {sys.argv[1]} has no figure; did the benchmark fail?")
    for row in rows:
        print(row.of_terminal())
    if len(sys.argv) > 2:
        write(sys.argv[2], rows)


if __name__ == "__main__":
    main()
