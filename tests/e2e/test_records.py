"""The commands of the registry, reviews, evidence and privacy, as a person types them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.adapters.encryption import load_keyring, load_or_make_keyring
from roadside.adapters.sql import SqlSightingStore, Vault, open_database, open_embedded
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import Box, CameraId
from roadside.core.reads import ALPHABET, FusedPlate
from roadside.core.sightings import Picture, PictureKind, Sighting, Verdict, VerdictKind

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Program

HEAD = "plate,country,valid_from,valid_to,category\n"
NOW_NS = SystemClock().now_ns()


def plate(text: str) -> FusedPlate:
    rows = np.full((len(text), 36), 1e-9, np.float32)
    rows[np.arange(len(text)), [ALPHABET.index(c) for c in text]] = 1.0
    return FusedPlate(text, text, "CZ", 0.97, rows / rows.sum(axis=1, keepdims=True), (), (), 3)


def fill(home: Path, *seen: tuple[str, str, VerdictKind], url: str = "") -> None:
    """A database as a run leaves it, or the one at `url`, with a crop of each sighting."""
    database = open_database(url) if url else open_embedded(home / "r.db")
    vault = Vault(home / "r.evidence", load_or_make_keyring(home / "r.keys.json", "k1"))
    store = SqlSightingStore(database, vault, SystemClock())
    for name, text, kind in seen:
        drawn = np.full((30, 120, 3), len(name), np.uint8)
        crop = Picture(PictureKind.CROP, "image/png", cv2.imencode(".png", drawn)[1].tobytes(), Box(4, 5, 100, 25))
        verdict = Verdict(kind, "paid-reading-possible", 0.2, 0.0)
        store.save(Sighting(name, CameraId("gate"), name, NOW_NS, NOW_NS, plate(text), verdict), [crop])
    database.close()


def test_import_and_check(program: Program) -> None:
    listed = program.home / "v.csv"
    listed.write_text(HEAD + "1AB 2345,CZ,2026-01-01,2026-12-31,car\nx,CZ,2026-01-01,2026-12-31,car\n")
    imported = program.run("registry", "import", listed, "--db", "r.db")
    assert imported.returncode == 1
    assert "v.csv:3: 'x' is no plate" in imported.stderr
    assert "1 vignette added" in imported.stdout
    unread = program.run("registry", "check", "9ZZ9999", "--db", "r.db")
    assert (unread.returncode, unread.stdout.count("UNPAID")) == (1, 0), "it may be the row that could not be read"
    listed.write_text(HEAD + "1AB 2345,CZ,2026-01-01,2026-12-31,car\n3CD 6789,CZ,2026-01-01,2026-12-31,car\n")
    assert program.run("registry", "import", listed, "--db", "r.db").returncode == 0
    for arguments, code, says in (
        (("1ab-2345", "--at", "2026-07-01T12:00"), 0, "PAID"),
        (("1AB2345", "--at", "2027-07-01"), 1, "expired"),
        (("1AB2345", "--at", "2025-07-01"), 1, "not begun"),
        (("1AB2345", "--at", "2026-07-01", "--country", "SK"), 1, "UNPAID"),
        (("9ZZ9999",), 1, "UNPAID"),
    ):
        checked = program.run("registry", "check", *arguments, "--db", "r.db")
        assert (checked.returncode, says in checked.stdout) == (code, True), checked
    (program.home / "e.csv").write_text("pattern,country,reason\nEL*,CZ,electric\n")
    assert program.run("registry", "exempt", "e.csv", "--db", "r.db").returncode == 0
    assert "EXEMPT" in program.run("registry", "check", "EL123AB", "--db", "r.db").stdout


def test_a_replacement_that_would_forget_somebody_is_refused_and_named(program: Program) -> None:
    rows = [f"1AB{number},CZ,2020-01-01,9999-12-31,car\n" for number in range(2300, 2350)]
    (program.home / "v.csv").write_text(HEAD + "".join(rows))
    assert program.run("registry", "import", "v.csv", "--db", "r.db").returncode == 0
    (program.home / "w.csv").write_text(HEAD + "".join(rows).replace("1AB2307,CZ,2020-01-01", "1AB2307,CZ,never"))
    refused = program.run("registry", "import", "w.csv", "--replace", "--db", "r.db")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "line 9: 'never'" in refused.stderr
    checked = program.run("registry", "check", "1AB2307", "--db", "r.db")
    assert (checked.returncode, checked.stdout) == (0, "PAID\n  CZ car: from 2020-01-01 00:00 without end\n")
    forced = program.run("registry", "import", "w.csv", "--replace", "--force", "--db", "r.db")
    assert (forced.returncode, forced.stdout.strip().endswith("FORCED")) == (1, True)
    assert "FORCED, although plates that are in the registry cannot be read" in forced.stderr
    assert program.run("registry", "check", "1AB2307", "--db", "r.db").returncode == 1
    lenient = program.run("registry", "import", "w.csv", "--replace", "--db", "r.db", "--registry-max-rejected", "0.1")
    assert lenient.returncode == 1, "its plate is not in the registry any more"


def test_lists_of_other_offices_are_taken_and_said(program: Program) -> None:
    text = "RZ;Země;Platí od;Platí do;Kategorie\r\n2AC 3456;Česko;1. 3. 2020;31.12.9999 23:59;osobní\r\n"
    (program.home / "cz.csv").write_bytes(b"sep=;\r\n" + text.encode("cp1250"))
    taken = program.run("registry", "import", "cz.csv", "--db", "r.db")
    assert (taken.returncode, taken.stderr) == (0, "")
    assert "Windows-1250 (not UTF-8" in taken.stdout
    assert "plate from 'RZ', country from 'Země', valid_from from 'Platí od'" in taken.stdout
    assert "dates day first" in taken.stdout
    (program.home / "us.csv").write_text(HEAD + "2AC3456,CZ,03/04/2026,12/24/2026,car\n")
    refused = program.run("registry", "import", "us.csv", "--db", "r.db")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "line 2: '12/24/2026' has the month first" in refused.stderr
    arguments = ("registry", "import", "us.csv", "--db", "r.db", "--registry-date-order", "month-first")
    assert program.run(*arguments).returncode == 0


def test_an_old_list_accuses_nobody(program: Program) -> None:
    (program.home / "v.csv").write_text(HEAD + "1AB2345,CZ,2020-01-01,,car\n")
    program.run("registry", "import", "v.csv", "--db", "r.db")
    for plate_text, days, code, says in (
        ("9ZZ9999", "31", 1, "UNKNOWN\n  the list is older"),
        ("9ZZ9999", "0", 1, "UNPAID\n"),
        ("1AB2345", "31", 0, "PAID\n"),
    ):
        arguments = ("--at", "2099-01-01", "--registry-max-age-days", days, "--db", "r.db")
        checked = program.run("registry", "check", plate_text, *arguments)
        assert (checked.returncode, checked.stdout[: len(says)]) == (code, says)


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\x00\x01", b"", HEAD.encode()])
def test_a_file_that_is_no_list_is_one_line_and_changes_nothing(program: Program, content: bytes) -> None:
    (program.home / "v.csv").write_bytes(content)
    failed = program.run("registry", "import", "v.csv", "--db", "r.db")
    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1
    assert "Traceback" not in failed.stderr


def test_a_review_from_the_queue_to_training_data(program: Program) -> None:
    (program.home / "v.csv").write_text(HEAD + "1A82345,CZ,2020-01-01,2099-12-31,car\n")
    assert program.run("registry", "import", "v.csv", "--db", "r.db").returncode == 0
    fill(
        program.home,
        ("s1", "1AB2345", VerdictKind.REVIEW),
        ("s2", "5CD6789", VerdictKind.REVIEW),
        ("s3", "5CD678", VerdictKind.REVIEW),
    )
    listed = program.run("review", "list", "--limit", "2", "--db", "r.db").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["3", "s1", "s2"]
    assert all("may be a plate that paid" in line for line in listed[1:])
    shown = program.run("review", "next", "--pictures", "look", "--db", "r.db")
    assert "s1" in shown.stdout
    assert "3 waiting" in shown.stdout
    assert cv2.imread(str(program.home / "look" / "s1.crop.png")) is not None
    corrected = program.run("review", "correct", "s1", "1A8 2345", "--author", "jana", "--db", "r.db")
    assert "PAID after jana read it; its plate and pictures are deleted" in corrected.stdout
    confirmed = program.run("review", "confirm", "s2", "--author", "jana", "--db", "r.db")
    assert "UNPAID" in confirmed.stdout
    assert "unreadable" in program.run("review", "unreadable", "s3", "--db", "r.db").stdout
    assert program.run("review", "next", "--db", "r.db").stdout == "nothing waits for review\n"
    again = program.run("review", "confirm", "s1", "--db", "r.db")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    exported = program.run("review", "export", "out", "--db", "r.db")
    assert exported.stdout == "out: 1 plates\n"
    assert "5CD6789" in (program.home / "out" / "crops.csv").read_text()
    voc = (program.home / "out" / "s2.xml").read_text()
    assert "<xmin>4</xmin>" in voc
    assert "<name>plate</name>" in voc


def test_paid_crops_are_kept_for_training_only_where_a_folder_is_named(program: Program) -> None:
    (program.home / "v.csv").write_text(HEAD + "1AB2345,CZ,2020-01-01,2099-12-31,car\n")
    program.run("registry", "import", "v.csv", "--db", "r.db")
    fill(program.home, ("s1", "1AB2345", VerdictKind.REVIEW))
    done = program.run("review", "confirm", "s1", "--review-training", "kept", "--db", "r.db")
    assert "PAID" in done.stdout
    assert (program.home / "kept" / "s1.png").is_file()


def test_tampering_keys_purge_and_forgetting(program: Program) -> None:
    fill(
        program.home,
        ("s1", "1AB2345", VerdictKind.UNPAID),
        ("s22", "5CD6789", VerdictKind.UNPAID),
        ("p", "7ZZ0000", VerdictKind.PAID),
    )
    whole = program.run("evidence", "verify", "--db", "r.db")
    assert whole.returncode == 0
    assert "4 chain entries: intact" in whole.stdout
    link = whole.stdout.split()[-1]

    rotated = program.run("keys", "rotate", "--name", "k2", "--db", "r.db")
    assert "2 pictures are under it" in rotated.stdout
    assert "kept: k1, k2" in program.run("keys", "drop", "--db", "r.db").stdout
    assert program.run("evidence", "verify", "--db", "r.db").returncode == 0
    assert program.run("evidence", "verify", "--expect", link, "--db", "r.db").returncode == 0

    purged = json.loads(program.run("purge", "--json", "--keep-paid-days", "0", "--db", "r.db").stdout)
    assert (purged["sightings"]["PAID"], purged["scrubbed"]) == (1, True)
    assert "dropped: k1" in program.run("keys", "drop", "--db", "r.db").stdout
    assert set(load_keyring(program.home / "r.keys.json").keys) == {"k2"}

    shown = program.run("evidence", "show", "s1", "--out", "s1.png", "--db", "r.db")
    assert shown.returncode == 0
    assert cv2.imread(str(program.home / "s1.png")).shape == (30, 120, 3)

    picture = next(path for path in (program.home / "r.evidence").glob("??/*"))
    data = bytearray(picture.read_bytes())
    data[-1] ^= 1
    picture.write_bytes(bytes(data))
    bad = program.run("evidence", "verify", "--db", "r.db")
    assert bad.returncode == 1
    assert "was changed" in bad.stderr
    told = program.run("evidence", "verify", "--json", "--db", "r.db")
    found = json.loads(told.stdout)
    assert (told.returncode, found["intact"], len(found["faults"])) == (1, False, len(bad.stderr.splitlines()))
    assert found["last_link"] == bad.stdout.split()[-1]

    forgotten = json.loads(program.run("forget", "1ab 2345", "--json", "--db", "r.db").stdout)
    assert (forgotten["sightings"], forgotten["dead_letters"]) == (1, None)
    assert forgotten["receipt"]
    assert "s1" not in program.run("plates", "recent", "--json", "--db", "r.db").stdout
    actions = [
        json.loads(line)["action"] for line in program.run("audit", "--json", "--db", "r.db").stdout.splitlines()
    ]
    assert {"forgot", "purged", "rotated keys", "dropped key", "looked"} <= set(actions)


def test_unknown_is_asked_again(program: Program) -> None:
    fill(program.home, ("s1", "1AB2345", VerdictKind.UNKNOWN))
    asked = json.loads(program.run("registry", "recheck", "--json", "--db", "r.db").stdout)
    assert asked == {"decided": {}, "still_unknown": 1, "more": False}
    (program.home / "v.csv").write_text(HEAD + "1AB2345,CZ,2020-01-01,2099-12-31,car\n")
    program.run("registry", "import", "v.csv", "--db", "r.db")
    assert "decided: 1 PAID; still UNKNOWN: 0" in program.run("registry", "recheck", "--db", "r.db").stdout
