"""A registry's CSV: good rows are kept, bad ones named by line, another encoding refused in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from roadside.core.vignettes import Exemption, Vignette
from roadside.errors import RegistryFileError
from roadside.registry.validity import NEVER_NS, zone
from roadside.registry.vignette_file import BadRow, read_exemptions, read_vignettes

if TYPE_CHECKING:
    from pathlib import Path

PRAGUE = zone("Europe/Prague")
HEAD = "plate,country,valid_from,valid_to,category\n"


def rows(path: Path, content: str | bytes) -> list[Vignette | BadRow]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_vignettes(path, PRAGUE))


def test_good_rows_are_kept_and_bad_ones_named_by_line(tmp_path: Path) -> None:
    found = rows(
        tmp_path / "v.csv",
        HEAD
        + "1ab-2345,cz,2026-01-01,2026-12-31,car\n"
        + "x,CZ,2026-01-01,2026-12-31,car\n"
        + "\n"
        + "1AB2346,CZ,never,2026-12-31,car\n"
        + "1AB2347,CZ,2026-12-31,2026-01-01,car\n"
        + "1AB2348,C1,2026-01-01,2026-12-31,car\n"
        + "1AB2349\n"
        + '"LS15 EBC",GB,1.1.2026,31.12.2026,\n',
    )
    good = [row for row in found if isinstance(row, Vignette)]
    assert [(v.plate, v.country, v.category) for v in good] == [("1AB2345", "CZ", "car"), ("LS15EBC", "UK", "")]
    assert [row.line for row in found if isinstance(row, BadRow)] == [3, 5, 6, 7, 8]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_come_in_any_order_and_with_any_usual_delimiter(tmp_path: Path, delimiter: str) -> None:
    lines = [
        ["Valid to", "Category", "PLATE", "Country", "valid-from"],
        ["2026-12-31", "van", "1AB2345", "CZ", "2026-01-01"],
    ]
    content = "\r\n".join(delimiter.join(line) for line in lines)
    (found,) = rows(tmp_path / "v.csv", content)
    assert isinstance(found, Vignette)
    assert (found.plate, found.category) == ("1AB2345", "van")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_however_it_announces_itself(tmp_path: Path, encoding: str) -> None:
    content = HEAD + "1AB2345,CZ,2026-01-01,2026-12-31,přívěs\n"
    (found,) = rows(tmp_path / "v.csv", content.encode(encoding))
    assert isinstance(found, Vignette)
    assert found.category == "přívěs"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ((HEAD + "1AB2345,CZ,2026-01-01,2026-12-31,přívěs\n").encode("cp1250"), "UTF-8"),
        (HEAD.encode("utf-16-le"), "not a text file"),
        (b"\xff\xd8\xff\xe0 a picture", "UTF-8"),
        (b"", "columns plate"),
        (b"one,two\n1,2\n", "columns plate"),
        (b'plate,country,valid_from,valid_to\n"' + b"x" * 200_000 + b"\n", "CSV"),
    ],
)
def test_what_is_no_such_list_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(RegistryFileError, match=message) as caught:
        rows(tmp_path / "v.csv", content)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "v.csv") in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegistryFileError, match=r"nowhere\.csv"):
        list(read_vignettes(tmp_path / "nowhere.csv", PRAGUE))


def test_exemptions_have_patterns_and_may_last_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text(
        "pattern,country,reason,valid_from,valid_to\nel *,CZ,electric,,\n?P1,*,police,2026-01-01,2026-01-02\n"
    )
    first, second = read_exemptions(path, PRAGUE)
    assert first == Exemption("EL*", "CZ", "electric", 0, NEVER_NS)
    assert isinstance(second, Exemption)
    assert (second.pattern, second.country) == ("?P1", "*")
