"""bench-instructions.py KEPT COUNTS [--write]: compares counts of instructions with those that are kept.

Prints a table, and fails if a count is more than 5 % above the one in KEPT (a table of TOML). --write keeps the new
counts, and with them the comments of KEPT."""

import re
import sys
import tomllib

ALLOWED_GROWTH = 0.05


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
    grown = []
    print(f"{'instructions':14}{'kept':>12}{'now':>12}{'change':>9}")
    for name, now in counts.items():
        before = kept.get(name)
        if not before:
            sys.exit(f"bench-instructions: {path} has no count of {name}; add a line for it")
        growth = now / before - 1
        print(f"{name:14}{before:12,}{now:12,}{growth:+9.1%}")
        if growth > ALLOWED_GROWTH:
            grown.append(name)
    missing = kept.keys() - counts.keys()
    if missing:
        sys.exit(f"bench-instructions: nothing was counted for {', '.join(sorted(missing))}")
    if "--write" in sys.argv[3:]:
        write(path, counts)
    elif grown:
        sys.exit(f"bench-instructions: more than 5 % above the count that is kept: {', '.join(grown)}")


if __name__ == "__main__":
    main()
