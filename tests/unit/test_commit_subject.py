from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "commit_subject.py"
_spec = spec_from_file_location("commit_subject", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
commit_subject = module_from_spec(_spec)
_spec.loader.exec_module(commit_subject)

LONGEST = "L" * 72


@pytest.mark.parametrize(
    "message",
    ["Plots: the legend ends inside", LONGEST, "One thing\n\nThe reason. " + "r" * 90, "# comment\nOne thing\n"],
)
def test_a_plain_subject_has_no_fault(message: str) -> None:
    assert commit_subject.faults(message) == []


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (LONGEST + "L", "73 characters"),
        ("Plots: the legend ends inside.", "dot"),
        ("", "empty"),
        ("# only a comment\n", "empty"),
        (" One thing", "blanks"),
        ("One thing\nthat goes on", "second line"),
    ],
)
def test_each_fault_is_named(message: str, fault: str) -> None:
    (found,) = commit_subject.faults(message)
    assert fault in found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "An old subject that ends with a dot.")
    rule = tmp_path / commit_subject.RULE
    rule.parent.mkdir()
    rule.write_text("the rule\n", encoding="utf-8")
    git(tmp_path, "add", "--all")
    commit(tmp_path, "The rule, whose own subject is from before it.")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    names = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(
        ["git", "-C", folder, *arguments], check=True, env={**names, "HOME": str(folder), "PATH": os.environ["PATH"]}
    )


def commit(folder: Path, message: str) -> None:
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], check=False, capture_output=True, text=True, cwd=folder)


def test_what_is_older_than_the_rule_is_let_be(repository: Path) -> None:
    commit(repository, "A good one")
    run = check(repository)
    assert (run.returncode, run.stdout) == (0, "1 commit subjects are as they should be\n")


def test_a_new_commit_fails_with_its_subject(repository: Path) -> None:
    commit(repository, "Ends with a dot.")
    run = check(repository)
    assert run.returncode == 1
    assert "(Ends with a dot.): ends with a dot" in run.stderr


def test_what_was_released_is_let_be(repository: Path) -> None:
    commit(repository, "Ends with a dot.")
    git(repository, "tag", "v1.0.0")
    commit(repository, "A good one")
    assert check(repository).returncode == 0


def test_the_hook_reads_the_message_that_git_hands_it(tmp_path: Path) -> None:
    message = tmp_path / "COMMIT_EDITMSG"
    message.write_text("Good\n# Please enter the commit message\n", encoding="utf-8")
    assert check(tmp_path, "--message", str(message)).returncode == 0
    message.write_text("Bad.\n", encoding="utf-8")
    assert check(tmp_path, "--message", str(message)).returncode == 1


def test_no_repository_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    run = check(tmp_path)
    assert run.returncode == 2
    assert run.stderr.startswith("commit_subject: fatal: not a git repository")
    assert run.stderr.count("\n") <= 2
