#!/usr/bin/env python3
"""circles.py [--rooms|--strict] [CRATE...]: fails if files of a crate use each other in a circle. That a file uses what stands
in the file of its folder makes none; with --strict it does. With --rooms: if the first level of modules does. CRATE: its
folder; without one, all members of the workspace. Tests are left out."""

import re
import sys
from pathlib import Path

WORD = r"[A-Za-z_][A-Za-z0-9_]*"


def code(path):
    """The text of a file without comments, strings and its tests."""
    text = re.sub(r"#\[cfg\(test\)\]\n(?:#\[[^\n]*\]\n)*mod \w+ \{.*", "", path.read_text(), flags=re.S)
    text = re.sub(r'r(#*)".*?"\1|"(?:\\.|[^"\\])*"', '""', text, flags=re.S)
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


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
    """The paths of a use: a::{b, c::{d}} are (a, b) and (a, c, d)."""
    tree = tree.strip()
    depth, parts, start = 0, [], 0
    for at, letter in enumerate(tree + ","):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            parts.append(tree[start:at].strip())
            start = at + 1
    for part in filter(None, parts):
        head, brace, inner = part.partition("{")
        names = tuple(re.findall(WORD, re.sub(r"\bas\b.*", "", head)))
        if brace:
            yield from leaves(inner.rsplit("}", 1)[0], prefix + names)
        else:
            yield prefix + tuple(name for name in names if name != "self" or not (prefix + names)[:-1])


class Crate:
    def __init__(self, folder):
        self.files = modules(folder / "src")
        self.text = {module: code(path) for module, path in self.files.items()}
        self.exported = {module: dict(self.exports(module)) for module in self.files}

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

    def exports(self, module):
        for tree in re.findall(r"\bpub(?:\([^)]*\))? use ([^;]+);", self.text[module]):
            for path in leaves(tree):
                target = self.absolute(module, path)
                if target:
                    yield path[-1], target

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
        text = re.sub(r"\bpub(?:\([^)]*\))? use [^;]+;", "", self.text[module])
        paths = [path for tree in re.findall(r"\buse ([^;]+);", text) for path in leaves(tree)]
        text = re.sub(r"\buse [^;]+;", "", text)
        paths += [tuple(path.split("::")) for path in re.findall(rf"(?<![\w:])(?:{WORD}::)+{WORD}", text)]
        for path in paths:
            target = self.absolute(module, path)
            if target is not None:
                target = self.file_of(target)
                if target is not None and target != module:
                    yield target


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
    rooms, strict = "--rooms" in sys.argv, "--strict" in sys.argv
    root = Path(__file__).resolve().parent.parent.parent
    if not words:
        members = re.search(r"members = \[(.*?)\]", (root / "Cargo.toml").read_text(), re.S)[1]
        words = [str(root / name) for name in re.findall(r'"(.*?)"', members)]
    failed = False
    for word in words:
        crate = Crate(Path(word))
        graph = {module: set(crate.edges(module)) for module in crate.files}
        if not strict:
            graph = {a: {b for b in targets if a[: len(b)] != b} for a, targets in graph.items()}
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
