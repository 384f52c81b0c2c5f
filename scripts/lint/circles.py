#!/usr/bin/env python3
"""circles.py [--rooms] [CRATE...]: fails if files of a crate use each other in a circle, a parent and its child included. To
name a child by `mod` is no use; to export what it has, is one. With --rooms: if the first level of modules forms a circle.
CRATE: its folder; without one, all members of the workspace. Tests are left out."""

import re
import sys
from pathlib import Path

from rust_source import LITERAL, without_tests

WORD = r"[A-Za-z_][A-Za-z0-9_]*"
EXPORT = re.compile(r"\bpub use ([^;]+);")
USE = re.compile(r"\buse ([^;]+);")


def code(path):
    """The text of a file without comments, strings, its tests, and the paths of visibilities, which use nothing."""
    text = without_tests(path.read_text())
    text = LITERAL.sub(lambda found: "" if found[0].startswith("/") else '""', text)
    return re.sub(r"\bpub\([^)]*\)", "pub", text)


def is_of_tests(path):
    return any(part in ("tests", "tests.rs", "fixtures", "fixtures.rs") for part in path.parts)


def modules(source):
    """File by module, which is a tuple of names; the root is ()."""
    found = {}
    for path in sorted(source.rglob("*.rs")):
        parts = path.relative_to(source).with_suffix("").parts
        if is_of_tests(path.relative_to(source)) or "bin" in parts:
            continue
        if parts == ("main",) and (source / "lib.rs").exists():
            continue
        found[() if parts in (("lib",), ("main",)) else parts] = path
    return found


def leaves(tree, prefix=()):
    """The paths of a use, each with the name that it gets: a::{b, c::{d as e}} are (a, b), b and (a, c, d), e."""
    tree = tree.strip()
    depth, parts, start = 0, [], 0
    for at, letter in enumerate(tree + ","):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            parts.append(tree[start:at].strip())
            start = at + 1
    for part in filter(None, parts):
        head, brace, inner = part.partition("{")
        if brace:
            yield from leaves(inner.rsplit("}", 1)[0], prefix + tuple(re.findall(WORD, head)))
            continue
        head, _, alias = re.sub(r"\bas\b", "\n", head).partition("\n")
        path = prefix + tuple(re.findall(WORD, head))
        # a::{self} is a, while self::a begins at this file.
        path = path[:-1] if path[1:] and path[-1] == "self" else path
        yield path, alias.strip() or path[-1]


class Crate:
    def __init__(self, folder):
        self.files = modules(folder / "src")
        self.text = {module: code(path) for module, path in self.files.items()}
        self.exported = {module: dict(self.named(module, EXPORT)) for module in self.files}

    def absolute(self, module, path):
        """A path of a file from the root, or nothing if it is of another crate."""
        if path[:1] == ("crate",):
            return path[1:]
        if path[:1] == ("self",):
            return module + path[1:]
        at = module
        if path[:1] == ("super",):
            while path[:1] == ("super",):
                at, path = at[:-1], path[1:]
            return at + path
        return module + path if path and module + path[:1] in self.files else None

    def named(self, module, pattern):
        """What the uses of a file give a name to: the name and the path from the root."""
        for tree in pattern.findall(self.text[module]):
            for path, name in leaves(tree):
                target = self.absolute(module, path)
                if target is not None:
                    yield name, target

    def file_of(self, path, depth=0):
        """The module that has what a path names, behind what is exported again."""
        for length in range(len(path), -1, -1):
            module = path[:length]
            if module in self.files:
                if length < len(path) and depth < 9:
                    exported = self.exported[module].get(path[length])
                    if exported:
                        return self.file_of(exported, depth + 1)
                return module
        return None

    def edges(self, module):
        used = list(self.named(module, USE))
        names = dict(used)
        targets = [target for _, target in used]
        for path in re.findall(rf"(?<![\w:])(?:{WORD}::)+{WORD}", USE.sub("", self.text[module])):
            head, *rest = path.split("::")
            # What a path begins with may be the name of a use.
            target = names[head] + tuple(rest) if head in names else self.absolute(module, (head, *rest))
            if target is not None:
                targets.append(target)
        return {to for to in map(self.file_of, targets) if to is not None and to != module}


def circles(graph):
    """The groups of nodes that reach each other."""
    reach = {}
    for node in graph:
        seen, left = set(), [node]
        while left:
            for target in graph[left.pop()]:
                if target not in seen:
                    seen.add(target)
                    left.append(target)
        reach[node] = seen
    groups = {frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in graph if a in reach[a]}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    options = [word for word in sys.argv[1:] if word.startswith("--")]
    if options not in ([], ["--rooms"]):
        sys.exit(f"circles: there is no such option: {' '.join(options)}; the only one is --rooms")
    rooms = bool(options)
    root = Path(__file__).resolve().parent.parent.parent
    if not words:
        members = re.search(r"members = \[(.*?)\]", (root / "Cargo.toml").read_text(), re.S)[1]
        words = [str(root / name) for name in re.findall(r'"(.*?)"', members)]
    failed = False
    for word in words:
        crate = Crate(Path(word))
        graph = {module: crate.edges(module) for module in crate.files}
        if rooms:
            collapsed = {}
            for module, targets in graph.items():
                # The root and main.rs stand above all of them.
                if module:
                    collapsed.setdefault(module[:1], set()).update(to[:1] for to in targets if to[:1] != module[:1])
            graph = {node: {to for to in targets if to} for node, targets in collapsed.items()}
            for targets in list(graph.values()):
                for to in targets:
                    graph.setdefault(to, set())
        for group in circles(graph):
            failed = True
            print(f"circles: {word}:", file=sys.stderr)
            for module in group:
                used = ", ".join(sorted("::".join(to) or "the root" for to in graph[module] if to in group))
                print(f"  {'::'.join(module) or 'the root'} uses {used}", file=sys.stderr)
    sys.exit(failed)


main()
