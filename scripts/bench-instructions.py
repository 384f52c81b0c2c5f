"""bench-instructions.py KEPT COUNTS [--write]: compares counts of instructions with those that are kept.

Prints a table, and fails if a count is more than 5 % above the one in KEPT (a table of TOML). The counts "begin_KIND"
are of a Begin for another kind of user. They fail if they differ by more than 5 % from each other and from "begin":
then the work tells who has a record. --write keeps the new
counts, and with them the comments of KEPT; it then prints the rows of the page for bench-table.py too."""

import re
import sys
import tomllib

ALLOWED_PERCENT = 5
# What each count is of, and how many it should be at most.
FIGURES = {
    "begin": ("instructions of the daemon for a `Begin`", 45_000),
    "verify": ("instructions of the daemon for a `Verify`", 120_000),
    "module": ("instructions of the module with loading, above pam_permit", 60_000),
}


def spread_of(counts):
    """Prints the counts of a Begin for each kind of user, and returns by how many percent they differ."""
    kinds = {name: count for name, count in counts.items() if name.startswith("begin")}
    spread = (max(kinds.values()) / min(kinds.values()) - 1) * 100
    for name, count in kinds.items():
        print(f"{name.removeprefix('begin').removeprefix('_') or 'enrolled':14}{count:24,}")
    print(f"a Begin for these kinds of users differs by {spread:.1f} %")
    return spread


def counts_of(path):
    with open(path, encoding="ascii") as lines:
        words = [line.split() for line in lines]
    return {name: int(count) for name, count in words}


def write(path, counts):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for name, count in counts.items():
        text, found = re.subn(rf"(?m)^{name} = \d+$", f"{name} = {count}", text)
        if found != 1:
            sys.exit(f"bench-instructions: {path} has no count of {name}; add a line for it")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    path, counts = sys.argv[1], counts_of(sys.argv[2])
    with open(path, "rb") as file:
        kept = tomllib.load(file)["instructions"]
    spread = spread_of(counts)
    counts = {name: count for name, count in counts.items() if not name.startswith("begin_")}
    grown, shrunk = [], []
    print(f"{'instructions':14}{'kept':>12}{'now':>12}{'change':>9}")
    for name, now in counts.items():
        before = kept.get(name)
        if not before:
            sys.exit(f"bench-instructions: {path} has no count of {name}; add a line for it")
        print(f"{name:14}{before:12,}{now:12,}{now / before - 1:+9.1%}")
        if now * 100 > before * (100 + ALLOWED_PERCENT):
            grown.append(name)
        if now * (100 + ALLOWED_PERCENT) < before * 100:
            shrunk.append(name)
    missing = kept.keys() - counts.keys()
    if missing:
        sys.exit(f"bench-instructions: nothing was counted for {', '.join(sorted(missing))}")
    if spread > ALLOWED_PERCENT:
        sys.exit(f"bench-instructions: the work tells users apart: by more than {ALLOWED_PERCENT} %")
    if "--write" in sys.argv[3:]:
        write(path, counts)
        for name, (what, target) in FIGURES.items():
            print("row", "instructions", what, counts[name], "", "at most", target, sep="\t")
        return
    if shrunk:
        print(f"bench-instructions: keep what fell with --write, or it may grow unseen: {', '.join(shrunk)}")
    if grown:
        sys.exit(f"bench-instructions: more than {ALLOWED_PERCENT} % above the count that is kept: {', '.join(grown)}")


if __name__ == "__main__":
    main()
