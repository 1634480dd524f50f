"""Two people who must agree, and the crops that are kept for training on every way an answer can come."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from roadside.console.app import make_app
from roadside.console.ports import Role
from roadside.core.reviews import ReviewAction
from roadside.core.sightings import VerdictKind
from roadside.errors import InputError
from tests.consoles import PASSWORD, Console, console

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Console]:
    with console(tmp_path, review_two=True, review_training=tmp_path / "training") as there:
        yield there


def browser(made: Console, name: str) -> tuple[TestClient, str]:
    """Somebody who is signed in, and what their forms carry."""
    made.account(name, Role.REVIEWER)
    client = TestClient(make_app(made.desk), follow_redirects=False, headers={"accept-language": "en"})
    assert client.post("/sign-in", data={"name": name, "password": PASSWORD}).status_code == 303
    found = re.search(r'X-CSRF-Token": "([0-9a-f]+)"', client.get("/tokens").text)
    assert found is not None
    return client, found[1]


def test_the_second_reviewer_sees_nothing_of_the_first(made: Console) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW, rule="one-look")
    eva, of_eva = browser(made, "eva")
    jan, of_jan = browser(made, "jan")
    eva.post("/review/answer", data={"csrf": of_eva, "sighting": wanted, "action": "correct", "plate": "XY34FGH"})
    assert made.desk.sightings.get(wanted).verdict.kind is VerdictKind.REVIEW
    assert "Nothing waits" in eva.get("/review").text
    seen = jan.get("/review").text + jan.get(f"/sightings/{wanted}").text
    assert wanted in seen
    assert "XY34FGH" not in seen
    assert "correct</" not in seen
    jan.post("/review/answer", data={"csrf": of_jan, "sighting": wanted, "action": "correct", "plate": "xy34 fgh"})
    after = made.desk.sightings.get(wanted)
    assert after.verdict.kind is not VerdictKind.REVIEW
    assert after.plate is not None
    assert after.plate.text == "XY34FGH"


def test_who_differ_leave_it_to_review_and_a_third_decides(made: Console) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW, rule="one-look")
    answer = made.desk.reviews.answer
    answer(wanted, ReviewAction.CONFIRM, "eva")
    with pytest.raises(InputError, match="another person"):
        answer(wanted, ReviewAction.CONFIRM, "eva")
    answer(wanted, ReviewAction.CORRECT, "jan", text="AB12CDF")
    assert made.desk.sightings.get(wanted).verdict.kind is VerdictKind.REVIEW
    assert made.desk.reviews.next((), "petr") == (None, 0), "two have looked: it waits in the search, not in the queue"
    with pytest.raises(InputError, match="another person"):
        answer(wanted, ReviewAction.CORRECT, "jan", text="AB12CDE")
    assert answer(wanted, ReviewAction.CORRECT, "petr", text="AB12CDE").verdict.kind is not VerdictKind.REVIEW


def test_one_who_cannot_read_it_settles_nothing(made: Console) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW, rule="one-look")
    made.desk.reviews.answer(wanted, ReviewAction.UNREADABLE, "eva")
    assert made.desk.reviews.next((), "jan")[1] == 1
    made.desk.reviews.answer(wanted, ReviewAction.CONFIRM, "jan")
    assert made.desk.sightings.get(wanted).verdict.kind is VerdictKind.REVIEW


def test_an_answer_in_the_browser_keeps_the_crop_for_training(made: Console, tmp_path: Path) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW, rule="one-look")
    eva, of_eva = browser(made, "eva")
    assert eva.get("/review/training.zip").status_code == 404
    eva.post("/review/answer", data={"csrf": of_eva, "sighting": wanted, "action": "confirm"})
    kept = {path.suffix for path in (tmp_path / "training").iterdir()}
    assert kept == {".png", ".xml", ".csv"}
    assert "AB12CDE" in (tmp_path / "training" / "crops.csv").read_text()
    answer = eva.get("/review/training.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {name.rpartition(".")[2] for name in archive.namelist()} == {"png", "xml", "csv"}
        assert b"AB12CDE" in archive.read("crops.csv")
    assert "exported" in {look.action for look in made.desk.ledger.audit()}


def test_an_answer_whose_crop_cannot_be_kept_is_not_taken(made: Console, tmp_path: Path) -> None:
    (tmp_path / "training").write_text("a file stands where the folder should")
    wanted = made.see("AB12CDE", VerdictKind.REVIEW, rule="one-look")
    with pytest.raises(InputError, match="training"):
        made.desk.reviews.answer(wanted, ReviewAction.CONFIRM, "eva")
    assert made.desk.ledger.answers(wanted) == []
