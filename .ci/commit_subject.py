"""Checks the first lines of commit messages: one plain line of at most 72 characters, without a dot at its end.

`--message FILE` checks a message before it is committed (the commit-msg hook). Without it, the commits are checked that
came after the newest tag and after the last change of this rule: older subjects are as they are.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 72
"""Characters: what `git log` and the web's lists show without cutting."""
RULE = ".ci/commit_subject.py"
"""This file: its newest commit is where the rule begins."""


def faults(message: str) -> list[str]:
    """What is wrong with a commit message, which may hold the comment lines that git adds; empty where nothing is."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject = lines[0] if lines else ""
    if not subject.strip():
        return ["the first line is empty: say what the commit does"]
    found = []
    if len(subject) > LONGEST:
        found.append(f"{len(subject)} characters, at most {LONGEST}: say the rest in the body")
    if subject.rstrip().endswith("."):
        found.append("ends with a dot: a subject is a title")
    if subject != subject.strip():
        found.append("has blanks around it")
    if len(lines) > 1 and lines[1].strip():
        found.append("the second line is not empty: git takes it for a part of the subject")
    return found


def new_commits(folder: Path) -> list[str]:
    """The hashes of the commits after the newest tag and after the last change of the rule, newest first."""
    tag = _git(folder, "describe", "--tags", "--abbrev=0", check=False).split()
    rule = _git(folder, "log", "-1", "--format=%H", "--", RULE).split()
    return _git(folder, "rev-list", "--no-merges", "HEAD", *(f"^{old}" for old in tag + rule)).split()


def _git(folder: Path, *arguments: str, check: bool = True) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], check=check, capture_output=True, text=True).stdout


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 where every message is right, 1 where one is not, 2 where none could be read."""
    parser = argparse.ArgumentParser(prog="commit_subject", description=__doc__.splitlines()[0])
    parser.add_argument("--message", type=Path, metavar="FILE", help="check this message instead of the new commits")
    options = parser.parse_args(arguments)
    try:
        if options.message:
            messages = {"this message": options.message.read_text(encoding="utf-8")}
        else:
            here = Path.cwd()
            messages = {each[:9]: _git(here, "log", "-1", "--format=%B", each) for each in new_commits(here)}
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        print(f"commit_subject: {reason.strip()}", file=sys.stderr)
        return 2
    wrong = [(name, text, fault) for name, text in messages.items() for fault in faults(text)]
    for name, text, fault in wrong:
        print(f"commit_subject: {name} ({(text.splitlines() or [''])[0]}): {fault}", file=sys.stderr)
    if not options.message and not wrong:
        print(f"{len(messages)} commit subjects are as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
