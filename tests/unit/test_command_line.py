"""The command line as a whole: its beginning, help, manual, completion, examples, exit codes and the doctor."""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from roadside import cli
from roadside.assembly.services import SERVICES
from roadside.cli import main, make_parser
from roadside.commands.colour import has_colour, painted
from roadside.commands.examples import EXAMPLES, FIRST
from roadside.commands.help import EXIT_CODES, commands_of, manual

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
STREET = ROOT / "examples" / "street.jpg"
PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parser() -> argparse.ArgumentParser:
    return make_parser()


def test_without_a_command_it_says_what_to_do_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert all(line in out for line, _ in FIRST)
    assert err == ""


def test_the_version_is_told_without_loading_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    program = (
        "import sys; from roadside.cli import main; main(['--version']); "
        "assert 'numpy' not in sys.modules, 'a second on a Pi'"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:9]) == (0, "roadside "), done.stderr
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == done.stdout


@pytest.mark.parametrize("line", [line for lines in (*EXAMPLES.values(), FIRST) for line, _ in lines])
def test_every_example_is_a_command_line(parser: argparse.ArgumentParser, line: str) -> None:
    words = shlex.split(line.removeprefix("sudo ").split(" > ", maxsplit=1)[0])
    assert words[0] == "roadside"
    if words[1:] != ["--help"]:
        parser.parse_args(words[1:])


def test_examples_stand_in_the_help_of_their_commands(parser: argparse.ArgumentParser) -> None:
    helped = {words: command.format_help() for words, command, _ in commands_of(parser)}
    assert EXAMPLES.keys() <= helped.keys()
    for words, lines in EXAMPLES.items():
        assert all(line in helped[words] for line, _ in lines)
    assert "{fast,tiles,auto}" in helped["read"], "choices are shown"


def test_every_command_says_what_it_does(parser: argparse.ArgumentParser) -> None:
    assert [words for words, command, _ in commands_of(parser) if not command.description] == []


@pytest.mark.parametrize("line", ["read x.jpg --js", "run x --show", "plates recent --lim 3"])
def test_a_beginning_of_a_flag_is_none(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "unrecognized arguments" in err or "more arguments than it takes" in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("raed x.jpg", "roadside: argument COMMAND: invalid choice: 'raed'; did you mean read?; see `roadside --help`"),
        (
            "read --jsn x.jpg",
            "roadside read: unrecognized arguments: --jsn; did you mean --json?; see `roadside read --help`",
        ),
        ("cameras find --second 3", "roadside cameras find: unrecognized arguments: --second; did you mean --seconds?"),
        ("run x.mp4 --serch fast", "roadside run: unrecognized arguments: --serch; did you mean --search?"),
        ("plot o.png --of speedz", "invalid choice: 'speedz'; did you mean speeds?"),
        ("zzzzzz", "invalid choice: 'zzzzzz' (choose from "),
    ],
)
def test_the_nearest_is_named_and_the_help_of_the_command(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("registry import nothing.csv", "nothing.csv: no such file; check the name"),
        ("registry import folder", "folder: is a folder; name a file"),
        (
            "registry import picture.jpg",
            "picture.jpg: is no list: give CSV, Excel (.xlsx, .xls) or OpenDocument (.ods)",
        ),
        (
            "registry import no-country.csv",
            "the first line must name the columns country, too; it names 'RZ', 'Platí od'",
        ),
        ("lists import own nothing.csv", "nothing.csv: no such file; check the name"),
        ("plot o.png --from nothing.jsonl", "nothing.jsonl: no such file; check the name"),
        ("read clip.mp4", "clip.mp4: is a film, no picture; `roadside run` reads it"),
        ("config check --config bare.toml", 'texts stand in quotes, name = "text"'),
    ],
)
def test_what_cannot_be_read_is_said_with_its_mend(
    line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROADSIDE_DB", str(tmp_path / "r.db"))
    Path("folder").mkdir()
    Path("picture.jpg").write_bytes(STREET.read_bytes())
    Path("clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42" * 9)
    Path("no-country.csv").write_text("RZ;Platí od;Platí do\n9K7 4182;01.02.2026;28.02.2027\n", encoding="cp1250")
    Path("bare.toml").write_text("[camera.a]\nsource = street.mp4\n")
    assert main(line.split()) in (1, 2)
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_the_manual_tells_of_every_command_and_flag(parser: argparse.ArgumentParser, tmp_path: Path) -> None:
    page = manual(parser)
    for words, command, _ in commands_of(parser):
        assert not words or f'.SS "roadside {words}"' in page
        for action in command._actions:  # noqa: SLF001 - argparse has no public name for them
            for name in action.option_strings:
                assert name in ("-h", "--help", "--version") or name.replace("-", "\\-") in page
    program = shutil.which("man")
    if program is None:
        pytest.skip("man is not installed: what it thinks of the page was not asked")
    (tmp_path / "roadside.1").write_text(page)
    done = subprocess.run(
        [program, "--warnings", "-l", str(tmp_path / "roadside.1")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "registry import" in done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("roadside regis", {"registry"}),
        ("roadside registry ex", {"exempt", "export"}),
        ("roadside registry check --count", {"--country"}),
    ],
)
def test_a_shell_completes(typed: str, offered: set[str], tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": " ",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": typed,
        "COMP_POINT": str(len(typed)),
    }
    subprocess.run([sys.executable, "-m", "roadside.cli"], env=environment, check=False, capture_output=True)
    assert {word.strip() for word in answer.read_text().split()} == offered


def test_the_page_and_the_help_name_the_same_exit_codes() -> None:
    listed = dict(re.findall(r"^\| (\d+) \| ([^|]+) \|$", PAGE, re.MULTILINE))
    assert {int(code) for code in listed} == {code for code, _ in EXIT_CODES}


def exit_codes() -> Iterator[tuple[str, str, int]]:
    """Module, name and value of each that the code has."""
    for path in sorted((ROOT / "services/roadside/commands").glob("*.py")):
        module = importlib.import_module(f"roadside.commands.{path.stem}")
        for name in re.findall(r"^(EXIT_[A-Z]\w*) = ", path.read_text(encoding="utf-8"), re.MULTILINE):
            value = getattr(module, name)
            if isinstance(value, int):
                yield path.stem, name, value
    for name in ("EXIT_INPUT", "EXIT_UNAVAILABLE", "EXIT_INTERNAL", "EXIT_INTERRUPTED"):
        yield "cli", name, getattr(cli, name)


def test_every_exit_code_of_the_code_is_on_the_page() -> None:
    known = {code for code, _ in EXIT_CODES}
    told = [row for row in PAGE.splitlines() if row.startswith("| `roadside ")]
    found = list(exit_codes())
    assert len(found) > 8
    for module, name, value in found:
        assert value in known, (module, name)
        command = {"registry_lists": "registry diff"}.get(module, module)
        assert value != 1 or any(f"`roadside {command}" in row for row in told), (module, name)


def test_a_quiet_run_says_nothing_and_stores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = ["--db", str(tmp_path / "r.db")]
    assert main(["run", str(STREET), "--quiet", *db]) == 0
    assert capsys.readouterr().out == ""
    assert main(["plates", "recent", "--json", *db]) == 0
    assert capsys.readouterr().out.count("\n") == 2


def _objects(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was printed, an object a line: anything else on stdout is a fault."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_run_for_a_program_prints_its_sightings_as_they_are_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = ["--db", str(tmp_path / "r.db")]
    assert main(["run", str(STREET), "--json", "--out", str(tmp_path / "out.png"), *db]) == 0
    told = _objects(capsys)
    assert main(["plates", "recent", "--json", *db]) == 0
    assert sorted(told, key=lambda s: s["sighting_id"]) == sorted(_objects(capsys), key=lambda s: s["sighting_id"])
    assert {s["plate"] for s in told} == {"HK47TVN", "9K74182"}


def test_a_run_for_a_program_keeps_the_plates_of_those_who_paid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = ["--db", str(tmp_path / "r.db")]
    (tmp_path / "list.csv").write_text("plate,country,valid_from,valid_to\nHK47TVN,UK,2000-01-01,\n")
    assert main(["registry", "import", str(tmp_path / "list.csv"), *db]) == 0
    capsys.readouterr()
    assert main(["run", str(STREET), "--json", "--recorded-at", "now", *db]) == 0
    paid = [s for s in _objects(capsys) if s["verdict"] == "PAID"]
    assert [s["plate"] for s in paid] == [None]
    assert main(["run", str(STREET), "--json", "--recorded-at", "now", "--show-plates", "--camera", "b", *db]) == 0
    assert "HK47TVN" in {s["plate"] for s in _objects(capsys)}


def test_what_waits_for_a_person_is_told_to_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = ["--db", str(tmp_path / "r.db")]
    (tmp_path / "list.csv").write_text("plate,country,valid_from,valid_to\nHK47TVM,UK,2000-01-01,\n")
    assert main(["registry", "import", str(tmp_path / "list.csv"), *db]) == 0
    assert main(["run", str(STREET), "--quiet", "--recorded-at", "now", *db]) == 0
    capsys.readouterr()
    assert main(["review", "list", "--json", *db]) == 0
    waiting = _objects(capsys)
    assert waiting
    assert all(one["verdict"] == "REVIEW" and one["doubt"] and one["readings"] for one in waiting)
    assert main(["review", "next", "--json", "--pictures", str(tmp_path), *db]) == 0
    (first,) = _objects(capsys)
    assert first["sighting_id"] == waiting[0]["sighting_id"]
    assert first["waiting"] == len(waiting)
    assert all(Path(path).is_file() for path in first["pictures"].values())
    assert first["pictures"]


def test_lists_keys_and_cameras_are_told_to_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = ["--db", str(tmp_path / "r.db")]
    assert main(["lists", "show", "--json", *db]) == 0
    assert _objects(capsys) == []
    assert main(["lists", "add", "staff", "AB12CDE", "--name", "Jo", "--action", "open", *db]) == 0
    capsys.readouterr()
    assert main(["lists", "show", "--json", *db]) == 0
    assert _objects(capsys) == [{"list": "staff", "action": "open", "plates": 1}]
    assert main(["lists", "show", "staff", "--json", *db]) == 0
    (row,) = _objects(capsys)
    assert (row["list"], row["plate"], row["name"], row["valid_to"]) == ("staff", "AB12CDE", "Jo", "")
    assert main(["lists", "check", "AB12CDE", "--json", *db]) == 0
    (match,) = _objects(capsys)
    assert (match["list"], match["opens"]) == ("staff", True)
    assert main(["keys", "list", "--json", *db]) == 0
    assert [key["state"] for key in _objects(capsys)] == ["active"]
    (tmp_path / "site.toml").write_text('[camera.gate]\nsource = "rtsp://jo:secret@camera.local/1"\nrotation = 90\n')
    assert main(["config", "check", "--json", "--config", str(tmp_path / "site.toml")]) == 0
    (camera,) = _objects(capsys)
    assert (camera["camera"], camera["rotation"]) == ("gate", 90)
    assert "secret" not in json.dumps(camera)


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    *,
    terminal: bool,
    environment: dict[str, str],
    coloured: bool,
) -> None:
    stream = io.StringIO()
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    assert has_colour(stream, environment) is coloured


def test_a_run_is_coloured_where_it_is_forced_and_plain_in_a_pipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    db = ["--db", str(tmp_path / "r.db")]
    (tmp_path / "list.csv").write_text("plate,country,valid_from,valid_to\nHK47TVN,UK,2000-01-01,\n")
    assert main(["registry", "import", str(tmp_path / "list.csv"), *db]) == 0
    asked = ["registry", "check", "HK47TVN", *db]
    main(asked)
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    main(asked)
    assert "\x1b[32mPAID\x1b[0m" in capsys.readouterr().out
    assert painted("UNPAID PREPAID") == "\x1b[31mUNPAID\x1b[0m PREPAID"


# the service of systemd


def test_a_unit_is_what_systemd_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "my site.toml"
    site.write_text(f'[camera.gate]\nsource = "{STREET}"\n')
    asked = ["install-service", "--config", str(site), "--print", "--run-as", "root", "--console"]
    assert main(asked) == 0
    text = capsys.readouterr().out
    assert f'run --config "{site}" --console' in text
    assert "ExecReload=/bin/kill -HUP $MAINPID" in text
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed: what it thinks of the unit was not asked")
    unit = tmp_path / "roadside.service"
    unit.write_text(text)
    done = subprocess.run([program, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "roadside" in line] == []
    assert done.returncode == 0, done.stderr


def test_a_service_of_a_user_is_written_where_systemd_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    site = tmp_path / "site.toml"
    site.write_text(f'[camera.gate]\nsource = "{STREET}"\n')
    assert main(["install-service", "--user", "--config", str(site)]) == 0
    written = (tmp_path / "systemd/user/roadside.service").read_text()
    assert "User=" not in written
    assert "WantedBy=default.target" in written
    assert "systemctl --user daemon-reload && systemctl --user enable --now roadside" in capsys.readouterr().out


def test_a_service_needs_cameras(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.toml").touch()
    assert main(["install-service", "--print", "--config", str(tmp_path / "empty.toml")]) == 2
    assert "`roadside config example > site.toml`" in capsys.readouterr().err


def test_read_tells_plates_alone_where_it_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", "--quiet", str(STREET)]) == 0
    assert sorted(capsys.readouterr().out.splitlines()) == ["9K74182", "HK47TVN"]


# the doctor


def findings(*arguments: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    code = main(["doctor", "--json", *map(str, arguments)])
    return code, {row["what"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}


def test_the_doctor_finds_nothing_where_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = findings(STREET, "--db", tmp_path / "r.db", "--console-port", 0, capsys=capsys)
    assert [row for row in found.values() if row["state"] == "fault" and row["what"] != "clock"] == []
    assert code == (1 if found["clock"]["state"] == "fault" else 0)
    assert found["camera"]["told"].startswith("1280 x 720")
    assert "load in" in found["model"]["told"]
    assert not (tmp_path / "r.db").exists(), "looking makes nothing"


def test_the_doctor_names_what_is_wrong_and_its_mend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "r.db"
    (tmp_path / "list.csv").write_text("plate,country,valid_from,valid_to\n1AB2345,CZ,2026-01-01,\n")
    assert main(["registry", "import", str(tmp_path / "list.csv"), "--db", str(db)]) == 0
    assert main(["run", str(STREET), "--db", str(db)]) == 0
    keys = tmp_path / "r.keys.json"
    keys.chmod(0o644)
    (tmp_path / "notify.toml").write_text('[[push]]\nname = "me"\nurl_env = "NO_SUCH_SECRET"\n')
    capsys.readouterr()
    asked = ["--db", db, "--notify", tmp_path / "notify.toml", "--modeldir", tmp_path / "none"]
    code, found = findings(tmp_path / "no.mp4", *asked, "--registry-max-age-days", 0.000001, capsys=capsys)
    faults = {what: row["mend"] or row["told"] for what, row in found.items() if row["state"] == "fault"}
    assert code == 1
    assert faults.keys() - {"clock"} == {"model", "keys", "registry", "notify", "camera"}
    assert faults["keys"] == f"chmod 600 {keys}"
    assert "NO_SUCH_SECRET" in faults["notify"]
    assert "import a newer one" in faults["registry"]
    assert "no.mp4" in faults["camera"]


def test_the_doctor_tells_of_a_folder_that_cannot_be_written_and_a_port_that_is_taken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, found = findings("--db", "/proc/roadside/r.db", "--console-port", port, capsys=capsys)
    assert code == 1
    assert found["port"]["state"] == "note"
    assert f"port {port} of 127.0.0.1 cannot be had" in found["port"]["told"]
    assert found["storage"]["state"] == "fault"


def test_the_doctor_looks_at_every_camera_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.toml"
    site.write_text(f'[camera.gate]\nsource = "{STREET}"\n[camera.yard]\nsource = "{tmp_path}/none.mp4"\n')
    code, found = findings("--config", site, "--db", tmp_path / "r.db", capsys=capsys)
    assert code == 1
    assert (found["camera gate"]["state"], found["camera yard"]["state"]) == ("ok", "fault")


def test_the_doctor_speaks_to_people_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", str(tmp_path / "none.mp4"), "--db", str(tmp_path / "r.db")])
    out = capsys.readouterr().out
    assert code == 1
    assert re.search(r"^fault  camera ", out, re.MULTILINE)
    assert re.search(r"[0-9] faults?: see above\.$", out.strip())


# --- JSON -----------------------------------------------------------------------------------------

WITHOUT_JSON = {
    "write a file, and name it": (
        "annotate",
        "plot",
        "registry export",
        "lists export",
        "review export",
        "evidence show",
        "config example",
        "install-service",
        "man",
    ),
    "do one thing, which the exit code tells": (
        "lists add",
        "lists import",
        "lists remove",
        "review confirm",
        "review correct",
        "review unreadable",
        "keys rotate",
        "keys drop",
        "database migrate",
        "database check",
        "dead-letters replay",
        "dead-letters drop",
        "streams form-cluster",
    ),
    "print a link to be opened once": ("console invite",),
    "go on until they are ended, and log as services do": (
        "notify",
        "console",
        *(f"serve {service.name}" for service in SERVICES),
    ),
}
"""Commands without `--json`, and why."""


def test_every_command_that_tells_something_has_json(parser: argparse.ArgumentParser) -> None:
    excused = {command for commands in WITHOUT_JSON.values() for command in commands}
    leaves = {words: one for words, one, _ in commands_of(parser) if one.get_default("execute") is not None}
    without = {words for words, one in leaves.items() if "--json" not in one.format_help()}
    assert without == excused
