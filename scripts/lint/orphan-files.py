#!/usr/bin/env python3
"""orphan-files.py [ROOT]: fails if there is a Rust file that no target of cargo and no `mod` names. Nobody compiles it, so
no other lint sees it, and its tests never run."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from rust_source import LITERAL

ATTRIBUTE = r"(?:#\[[^\]]*\]\s*)*"
NAMED = re.compile(
    rf'(?:#\[path = (?P<path>"[^"]*")\]\s*{ATTRIBUTE}(?:pub(?:\([^)]*\))?\s+)?)?\bmod\s+(?P<name>\w+)\s*(?P<end>[;{{])|[{{}}]'
    r"|\binclude!\s*\(\s*(?P<include>\"[^\"]*\")"
)
# Folders whose files are targets of cargo without a word in the manifest, by the section that could name them.
FOLDERS = {"bin": "src/bin", "test": "tests", "bench": "benches", "example": "examples"}
PLURALS = {"bin": "bins", "test": "tests", "bench": "benches", "example": "examples"}


def rust_files(root):
    listed = subprocess.run(["git", "-C", root, "ls-files", "*.rs"], capture_output=True, text=True)
    if listed.returncode == 0:
        return {root / name for name in listed.stdout.splitlines()}
    return set(root.rglob("*.rs"))


def targets(manifest):
    """The files that cargo hands to the compiler."""
    folder, text = manifest.parent, tomllib.loads(manifest.read_text())
    if "package" not in text:
        return
    yield from (folder / "src/lib.rs", folder / "src/main.rs", folder / "build.rs")
    for target in [text.get("lib", {})] + [target for section in FOLDERS for target in text.get(section, [])]:
        if "path" in target:
            yield folder / target["path"]
    for section, name in FOLDERS.items():
        if text["package"].get(f"auto{PLURALS[section]}", True):
            yield from (folder / name).glob("*.rs")
            yield from (folder / name).glob("*/main.rs")


def named_files(file, is_root):
    """The files that a file names by `mod` or `include!`."""
    text = file.read_text()
    # Names of files stay, and only they.
    kept = re.compile(r"(#\[path = |include!\s*\(\s*)$")

    def without_content(literal):
        if kept.search(text[max(0, literal.start() - 40) : literal.start()]):
            return literal[0]
        return "" if literal[0].startswith("/") else '""'

    code = LITERAL.sub(without_content, text)
    own = file.parent if is_root or file.name == "mod.rs" else file.with_suffix("")
    # The inline modules around this place; None is another block.
    around = []
    for found in NAMED.finditer(code):
        inner = own.joinpath(*filter(None, around))
        if found["include"]:
            yield file.parent / found["include"].strip('"')
        elif found["name"] is None:
            if found[0] == "{":
                around.append(None)
            elif around:
                around.pop()
        elif found["end"] == "{":
            around.append(found["name"])
        elif found["path"]:
            yield (inner if any(around) else file.parent) / found["path"].strip('"')
        else:
            yield from (inner / f"{found['name']}.rs", inner / found["name"] / "mod.rs")


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent.parent).resolve()
    files = rust_files(root)
    manifests = {folder / "Cargo.toml" for file in files for folder in file.parents if folder.is_relative_to(root)}
    roots = {target.resolve() for manifest in manifests if manifest.exists() for target in targets(manifest)}
    reached, left = set(), [file for file in roots if file.exists()]
    while left:
        file = left.pop()
        if file not in reached:
            reached.add(file)
            left += [named.resolve() for named in named_files(file, file in roots) if named.exists()]
    orphans = sorted(files - reached)
    for orphan in orphans:
        print(f"orphan-files: no mod and no target names {orphan.relative_to(root)}", file=sys.stderr)
    sys.exit(bool(orphans))


main()
