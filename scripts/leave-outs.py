#!/usr/bin/env python3
"""leave-outs.py [--only TEXT...] [--skip campaign|marks] [--check]: leaves out the rules of docs/decisions/0032, one at a time, and runs
the tests of marks and the campaign of crashes. Each rule has to be missed by one of them. Prints the table of
docs/development/leave-outs.md. It works on a clone of the last commit, with builds of its own: cargo would take them for those of this tree.

--only: the rules that have one of these in their names. --skip campaign: the tests of marks alone, which take seconds.
--check: builds nothing, and looks whether each change still fits its file."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "totpd/store/leave-outs.toml"
CLONE = ROOT / "target/leave-outs/tree"
BUILDS = ROOT / "target/leave-outs/build"
CAMPAIGN = "sqlite::tests::campaign::crash::a_power_cut_at_any_moment_breaks_no_promise"
# A store without a rule may wait forever.
TIMEOUT = 900
TRIES = 3


def changed(tree, rule):
    """The text by file without this rule. Ends the program if the source has moved on."""
    texts = {}
    for change in rule["changes"]:
        file = tree / change["file"]
        text = texts.get(file) or file.read_text()
        if text.count(change["before"]) != 1:
            sys.exit(f"{rule['name']}: {change['file']} has {text.count(change['before'])} times: {change['before']}")
        texts[file] = text.replace(change["before"], change["after"])
    return texts


def build():
    """Builds the tests of the store in the clone. Returns the program."""
    command = "cargo test --package totpd-store --lib --locked --no-run --message-format json".split()
    ran = subprocess.run([*command, "--target-dir", BUILDS], cwd=CLONE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if ran.returncode != 0:
        sys.exit(f"it does not build:\n{ran.stderr}\n" + "".join(json.loads(line).get("message", {}).get("rendered", "")
                 for line in ran.stdout.splitlines() if '"compiler-message"' in line))
    programs = [json.loads(line).get("executable") for line in ran.stdout.splitlines() if '"executable"' in line]
    return next(program for program in programs if program)


def run(program, *arguments):
    """Runs tests. Returns whether they passed, and what they printed."""
    try:
        # The campaign goes through each phase once.
        ran = subprocess.run([program, "--nocapture", *arguments], cwd=CLONE / "totpd/store", stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=TIMEOUT, env=os.environ | {"TEST_SCALE": "0.01"})
    except subprocess.TimeoutExpired:
        return False, "it did not end"
    return ran.returncode == 0, ran.stdout.decode(errors="replace")


def marks(program):
    """Runs the tests of marks. Returns those that failed."""
    passed, output = run(program, "sqlite::tests::marks::")
    found = re.findall(r"^    sqlite::tests::marks::(\S+)$", output, re.M)
    names = sorted({name.split("::")[-1] for name in found})
    return [] if passed else names or ["it ended early"]


def campaign(program):
    """Runs the campaign of crashes. Returns the broken starts, and what it says of the states."""
    passed, output = run(program, CAMPAIGN, "--exact")
    said = re.search(r"^(\d+ crash states, .*), (\d+) broken", output, re.M)
    if not said:
        return None if passed else "it ended early", output[-2000:]
    return int(said[2]), said[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[""])
    parser.add_argument("--skip", choices=["campaign", "marks"])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    rules = [rule for rule in tomllib.loads(RULES.read_text())["rule"] if any(text in rule["name"] for text in options.only)]
    for rule in rules:
        changed(ROOT, rule)
    if options.check:
        print(f"leave-outs: {len(rules)} rules fit the source")
        return
    shutil.rmtree(CLONE, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, CLONE], check=True)
    program = build()
    states = "not run"
    if options.skip != "marks" and (failed := marks(program)):
        sys.exit(f"with all rules, these fail: {failed}")
    if options.skip != "campaign":
        broken, states = campaign(program)
        if broken != 0:
            sys.exit(f"with all rules, the campaign finds {broken}: {states}")
    print(f"With all rules: {states}, 0 broken.\n", flush=True)
    print("| rule that is left out | item | broken starts in the campaign | tests of marks that fail |\n|---|---|---|---|", flush=True)
    missed = []
    for rule in rules:
        texts = changed(CLONE, rule)
        before = {file: file.read_text() for file in texts}
        for file, text in texts.items():
            file.write_text(text)
        program = build()
        failed = []
        # On a busy machine a flush may come between a login and the crash after it.
        for _ in range(0 if options.skip == "marks" else TRIES):
            failed = failed or marks(program)
        broken = "not run" if options.skip == "campaign" else campaign(program)[0]
        for file, text in before.items():
            file.write_text(text)
        if not failed and broken in (0, None, "not run"):
            missed.append(rule["name"])
        names = ", ".join(f"`{name}`" for name in failed[:3]) + (f" and {len(failed) - 3} more" if len(failed) > 3 else "")
        print(f"| {rule['name']} | {rule['item']} | {broken} | {names or 'none'} |", flush=True)
    if missed:
        sys.exit(f"leave-outs: nothing notices that these are left out: {missed}")
    print(f"\nleave-outs: all {len(rules)} rules are found")


if __name__ == "__main__":
    main()
