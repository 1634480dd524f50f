"""A registry's CSV: good rows are kept, bad ones named by line, another encoding refused in one line."""

# ruff: noqa: RUF001 - letters that only look Latin are what is tried

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from roadside.core.vignettes import NEVER_NS, Exemption, Vignette
from roadside.errors import RegistryFileError
from roadside.registry.validity import DateOrder, zone
from roadside.registry.vignette_file import NOBODY, BadRow, read_exemptions, read_vignettes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PRAGUE = zone("Europe/Prague")
JULY_NS = 1_782_900_000 * 10**9
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
        ((HEAD + "1AB2345,CZ,2026-01-01,2026-12-31,přívěs\n").encode() + b"\xf8\n", "UTF-8 with damaged"),
        ((HEAD + "1AB2345,CZ,2026-01-01,2026-12-31,přívěs\n").encode("utf-16")[:-3], "no text to its end"),
        (HEAD.encode("utf-16-le"), "not a text file"),
        (b"\xff\xd8\xff\xe0 a picture", "UTF-8"),
        (b"", "columns plate"),
        (b"one,two\n1,2\n", "columns plate"),
        (b'plate,country,valid_from,valid_to\n"' + b"x" * 200_000 + b"\n", "CSV"),
        (b"SPZ,RZ,country,valid_from,valid_to\n", "'SPZ' and 'RZ' could both be the column plate"),
        (b'plate,"country,valid_from,valid_to\n', "quote"),
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


def good(found: Sequence[Vignette | BadRow]) -> list[Vignette]:
    bad = [row for row in found if isinstance(row, BadRow)]
    assert not bad
    return [row for row in found if isinstance(row, Vignette)]


@pytest.mark.parametrize(
    "header",
    [
        "RZ;Kategorie;Stát;Platí od;Platí do",
        "Registrační značka;Kategorie vozidla;Země registrace;PLATNOST OD;Konec platnosti",
        "SPZ;Třída;země;plati_od;plati_do",
        "EČV;Kategória;Krajina;Platná od;Platná do",
        "Kennzeichen;Fahrzeugklasse;Land;Gültig ab;Gültig bis",
        "Amtliches Kennzeichen;Klasse;Zulassungsland;gueltig von;gueltig bis",
        "Numer rejestracyjny;Rodzaj pojazdu;Kraj;Ważna od;Ważna do",
        "Registration number;Vehicle class;Nationality;Start date;Expiry date",
        "plate;category;country;valid from;VALID UNTIL",
    ],
)
def test_columns_are_known_by_what_offices_call_them(tmp_path: Path, header: str) -> None:
    (found,) = good(rows(tmp_path / "v.csv", f"{header}\r\n1AB 2345;van;CZ;1. 2. 2026;31.01.2027\r\n"))
    assert (found.plate, found.country, found.category) == ("1AB2345", "CZ", "van")
    assert found.valid_from_ns < JULY_NS < found.valid_to_ns


def test_the_documented_name_wins_over_another(tmp_path: Path) -> None:
    content = "registration,plate,country,state,valid_from,valid_to\nR-7,1AB2345,CZ,paid,2026-01-01,2026-12-31\n"
    (found,) = good(rows(tmp_path / "v.csv", content))
    assert found.plate == "1AB2345"


@pytest.mark.parametrize("first", ["sep=|", "SEP=|", '"sep=|"', "\n\nsep=|"])
def test_excel_may_announce_its_separator(tmp_path: Path, first: str) -> None:
    content = f"{first}\nplate|country|valid_from|valid_to\n1AB2345|CZ|2026-01-01|2026-12-31\nx|CZ|1|2\n"
    vignette, bad = rows(tmp_path / "v.csv", content)
    assert isinstance(vignette, Vignette)
    assert isinstance(bad, BadRow)
    assert bad.line == 4 + first.count("\n"), "lines are those of the file"


@pytest.mark.parametrize("encoding", ["cp1250", "iso8859-2", "cp1252"])
def test_other_encodings_are_taken_and_said(tmp_path: Path, encoding: str) -> None:
    text = "Kennzeichen;Land;gültig ab;gültig bis\nWÜ-AB 123;D;01.02.2026;31.01.2027\n"
    path = tmp_path / "v.csv"
    path.write_bytes(text.encode(encoding))
    listed = read_vignettes(path, PRAGUE)
    (found,) = good(list(listed))
    assert (found.plate, found.country) == ("WUAB123", "DE")
    assert "not UTF-8" in listed.described()
    assert "separator ';'" in listed.described()
    assert "plate from 'Kennzeichen'" in listed.described()
    assert "dates day first" in listed.described()


def test_a_plate_that_is_another_one_in_another_encoding_is_refused_by_line(tmp_path: Path) -> None:
    """0xC5 is an A with a ring in Sweden's Windows, and an L with an acute in Slovakia's."""
    text = "plate,country,valid_from,valid_to\n\xc5BC 123,SE,2026-01-01,2026-12-31\n"
    (found,) = rows(tmp_path / "v.csv", text.encode("cp1252"))
    assert isinstance(found, BadRow)
    assert "UTF-8" in found.reason


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("01.02.2026 00:00", "31.01.2027 23:59"),
        ("1. 2. 2026", "31. 1. 2027"),
        ("2026-02-01 00:00:00", "2027-01-31 23:59:59"),
        ("1/2/2026", "31/1/2027"),
        ("01-02-2026", "31-01-2027"),
        ("2026/02/01", "2027/01/31"),
        ("20260201", "20270131"),
        ("2026-02-01T00:00:00+01:00", "2027-01-31T23:59:59+01:00"),
        ("01.02.2026 0:00", "31.01.2027 24:00"),
        ("2026-02-01 00:00:00", "2027-01-31 00:00:00"),
    ],
)
def test_dates_and_times_as_offices_write_them(tmp_path: Path, begins: str, ends: str) -> None:
    (found,) = good(rows(tmp_path / "v.csv", HEAD + f"1AB2345,CZ,{begins},{ends},\n"))
    (plain,) = good(rows(tmp_path / "w.csv", HEAD + "1AB2345,CZ,2026-02-01,2027-01-31,\n"))
    assert found.valid_from_ns == plain.valid_from_ns
    assert plain.valid_to_ns <= found.valid_to_ns <= plain.valid_to_ns + 60 * 10**9


@pytest.mark.parametrize(
    "ends", ["9999-12-31", "31.12.9999", "99991231", "2999-12-31T23:59:59Z", "9999-12-31 23:59:59", "", " ", "NULL",
             "\\N", "infinity", "0000-00-00 00:00:00", "9999-12-31T23:59:59.999999-12:00", "2262-04-12",
             "neomezeně", "unbefristet", "bezterminowo"]
)  # fmt: skip
def test_what_has_no_end_is_without_end(tmp_path: Path, ends: str) -> None:
    (found,) = good(rows(tmp_path / "v.csv", HEAD + f"1AB2345,CZ,2026-01-01,{ends},\n"))
    assert found.valid_to_ns == NEVER_NS


def test_what_began_before_all_counting_is_valid_ever_since(tmp_path: Path) -> None:
    found = good(rows(tmp_path / "v.csv", HEAD + "1AB2345,CZ,0001-01-01,2026-12-31,\n1AB2346,CZ,1.1.1900,,\n"))
    assert [v.valid_from_ns for v in found] == [0, 0]


@pytest.mark.parametrize(
    ("content", "order", "says"),
    [
        ("1AB2345,CZ,02/01/2026,01/31/2027,\n", DateOrder.DAY_FIRST, "month first (line 2: '01/31/2027'"),
        ("1AB2345,CZ,02.01.2026,12.24.2026 23:59,\n", DateOrder.DAY_FIRST, "month first (line 2"),
        ("1AB2345,CZ,13/01/2026,01/31/2027,\n", DateOrder.DAY_FIRST, "two orders (line 2"),
        ("1AB2345,CZ,13/01/2026,12/12/2026,\n", DateOrder.MONTH_FIRST, "not month-first (line 2"),
        ("1AB2345,CZ,2026-01-02,2026-31-12,\n", DateOrder.DAY_FIRST, "day before the month"),
        ("1AB2345,CZ,20260102,20263112,\n", DateOrder.DAY_FIRST, "day before the month"),
    ],
)
def test_one_date_binds_the_whole_file(tmp_path: Path, content: str, order: DateOrder, says: str) -> None:
    path = tmp_path / "v.csv"
    path.write_text(HEAD + content + "1AB2346,CZ,2026-01-01,2026-12-31,\n" * 3)
    with pytest.raises(RegistryFileError) as caught:
        list(read_vignettes(path, PRAGUE, order))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_month_first_is_read_where_it_is_set(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(HEAD + "1AB2345,CZ,02/01/2026,01/31/2027,\n")
    listed = read_vignettes(path, PRAGUE, DateOrder.MONTH_FIRST)
    (found,) = good(list(listed))
    (plain,) = good(rows(tmp_path / "w.csv", HEAD + "1AB2345,CZ,2026-02-01,2027-01-31,\n"))
    assert (found.valid_from_ns, found.valid_to_ns) == (plain.valid_from_ns, plain.valid_to_ns)
    assert "dates month first" in listed.described()


def test_a_file_that_could_be_of_either_order_is_refused_unless_somebody_says_which(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(HEAD + "1AB2345,CZ,02/01/2026,03/01/2026,\n")
    with pytest.raises(RegistryFileError, match="2 of its dates could have the day or the month first, and none tells"):
        list(read_vignettes(path, PRAGUE))
    for order in DateOrder:
        listed = read_vignettes(path, PRAGUE, order)
        assert len(good(list(listed))) == 1
        assert f"dates {order.replace('-', ' ')} (2 could be either; none tells)" in listed.described()


@pytest.mark.parametrize("dates", ["02.01.2026,03.02.2026", "2026-01-02,2026-02-03", "02/02/2026,13/02/2026"])
def test_points_and_the_year_first_and_a_day_after_the_twelfth_tell_the_order(tmp_path: Path, dates: str) -> None:
    path = tmp_path / "v.csv"
    path.write_text(HEAD + f"1AB2345,CZ,{dates},\n")
    assert len(good(list(read_vignettes(path, PRAGUE)))) == 1


def test_a_stray_quote_costs_its_own_line_alone(tmp_path: Path) -> None:
    content = (
        HEAD
        + '"1AB2345,CZ,2026-01-01,2026-12-31,car\n'
        + "1AB2346,CZ,2026-01-01,2026-12-31,car\n"
        + '1AB2347,CZ,2026-01-01,2026-12-31,"car\n'
        + '"1AB2348","CZ","2026-01-01","2026-12-31","a ""small"" car"\n'
        + '1AB2349,CZ,"2026-01-01" ,2026-12-31,car\n'
    )
    found = rows(tmp_path / "v.csv", content)
    assert [row.plate for row in found if isinstance(row, Vignette)] == ["1AB2346", "1AB2348"]
    bad = [row for row in found if isinstance(row, BadRow)]
    assert [(row.line, row.plate, row.whole) for row in bad] == [
        (2, "1AB2345", False),
        (4, "1AB2347", False),
        (6, "1AB2349", False),
    ]


@pytest.mark.parametrize(
    ("last", "is_open", "is_bad"),
    [
        ("1AB2346,CZ,2026-01-01,2026-12-31,car\n", False, False),
        ("1AB2346,CZ,2026-01-01,2026-12-31,car", True, False),
        ("1AB2346,CZ,2026-01-01,2026-12-3", True, False),
        ("1AB2346,CZ,2026-01", True, True),
        ("1AB2346", True, True),
        ("1A", True, True),
        ('1AB2346,CZ,"2026-01-01', True, True),
        ("\0\0\0\0", True, True),
    ],
)
def test_a_last_line_without_an_end_is_told(tmp_path: Path, last: str, is_open: bool, is_bad: bool) -> None:  # noqa: FBT001 - a table's columns
    path = tmp_path / "v.csv"
    path.write_text("plate,country,valid_from,valid_to,\n1AB2345,CZ,2026-01-01,2026-12-31,car\n" + last)
    listed = read_vignettes(path, PRAGUE)
    found = list(listed)
    assert len(found) == 2
    assert listed.open_row == (found[-1] if is_open else None)
    assert isinstance(listed.open_row, BadRow) is is_bad
    assert ("cut" in listed.described()) is is_open


def test_of_a_bad_row_as_much_is_kept_as_can_be_read(tmp_path: Path) -> None:
    found = rows(
        tmp_path / "v.csv",
        HEAD
        + "1AB2345,CZ,soon,2026-12-31,\n"
        + "1AB2346,Atlantis,2026-01-01,2026-12-31,\n"
        + "1AB2347,CZ\n"
        + "1AB§348,CZ,2026-01-01,2026-12-31,\n"
        + ";,,,,\n"
        + ",,,,\n",
    )
    bad = [row for row in found if isinstance(row, BadRow)]
    assert [(row.plate, row.whole) for row in bad] == [
        ("1AB2345", True),
        ("1AB2346", True),
        ("1AB2347", False),
        (None, True),
        (None, True),
        (NOBODY, True),
    ]


def test_exemptions_follow_the_letters_of_their_country(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("Muster;Land;Grund\nWUE-*;D;Behörde\nСА*;BG;полиция\nСА*;CZ;x\nA*B;CZ;x\n", encoding="utf-8")
    found = list(read_exemptions(path, PRAGUE))
    assert [e.pattern for e in found if isinstance(e, Exemption)] == ["WU*", "CA*"]
    assert [row.line for row in found if isinstance(row, BadRow)] == [4, 5]
