"""Lists as offices keep them: Excel and LibreOffice sheets, old encodings, columns of any name, and what is no list."""

from __future__ import annotations

import io
import json
import random
import zipfile
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest
from openpyxl import Workbook

from roadside.adapters.spreadsheet import as_csv, is_spreadsheet
from roadside.adapters.sql import open_embedded
from roadside.adapters.sql.listing import held_vignettes
from roadside.assembly.lists import ListImporter
from roadside.cli import main
from roadside.errors import RegistryFileError
from roadside.registry.config import RegistrySection
from roadside.registry.reading import ListReading, list_reading
from roadside.registry.validity import zone
from roadside.registry.vignette_file import BadRow, read_vignettes
from roadside.registry.writing import row_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from roadside.assembly.lists import Taken
    from roadside.core.vignettes import Vignette

PRAGUE = zone("Europe/Prague")
NOW_NS = 1_800_000_000 * 10**9
GOOD = "plate,country,valid_from,valid_to,category\n1AB2345,CZ,2026-02-01,2027-01-31,car\n"


def workbook(path: Path, *sheets: tuple[str, Sequence[Sequence[object]]]) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def ods(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    """The least that LibreOffice would open; a cell that begins with a digit and has dashes is a date."""

    def cell(text: str) -> str:
        if text[:1].isdigit() and text.count("-") == 2:
            return f'<table:table-cell office:value-type="date" office:date-value="{text}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="List1">{body}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
        archive.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{manifest}"/>')
        archive.writestr("content.xml", content)
    return path


def importer(folder: Path, reading: ListReading | None = None) -> ListImporter:
    return ListImporter(open_embedded(folder / "r.db"), RegistrySection(), reading or ListReading())


def taken(path: Path, folder: Path, reading: ListReading | None = None) -> Taken:
    return importer(folder, reading).vignettes(path, path.name, NOW_NS, replace=False)


def held(folder: Path) -> list[Vignette]:
    return list(held_vignettes(open_embedded(folder / "r.db")))


def shown(folder: Path) -> list[tuple[str, ...]]:
    return [row_of(vignette, PRAGUE) for vignette in held(folder)]


CZECH = ("SPZ", "Země", "Platí od", "Platí do", "Kategorie")
ROWS = (
    ("1AB 2345", "CZ", date(2026, 2, 1), date(2027, 1, 31), "osobní"),
    (5551234, "cz", datetime(2026, 2, 1), datetime(2026, 3, 1, 12, 30), None),  # noqa: DTZ001 - cells have no zone
    ("KV46RNE", "Velká Británie", "1. 2. 2026", "", "nákladní\nnad 3,5 t"),
)
RIGHT = [
    ("1AB2345", "CZ", "2026-02-01", "2027-01-31", "osobní"),
    ("5551234", "CZ", "2026-02-01", "2026-03-01T12:30:00+01:00", ""),
    ("KV46RNE", "UK", "2026-02-01", "", "nákladní nad 3,5 t"),
]


def test_a_sheet_of_excel_is_taken_as_it_is(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", ("Poznámky", []), ("Vozidla", [CZECH, *ROWS]))
    done = taken(path, tmp_path)
    assert (done.added, done.rejected) == (3, 0)
    assert done.read_as.startswith(
        "sheet 'Vozidla' of 2, columns plate from 'SPZ', country from 'Země', valid_from from"
    )
    assert sorted(shown(tmp_path)) == RIGHT


def test_a_sheet_can_be_named_and_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    other = [CZECH, ("2AB2345", "CZ", "2026-01-01", "", "")]
    path = workbook(tmp_path / "list.xlsx", ("one", [CZECH, *ROWS]), ("two", other))
    assert taken(path, tmp_path, ListReading(sheet="two")).added == 1
    with pytest.raises(RegistryFileError, match=r"it has no sheet 'three', but 'one', 'two'"):
        taken(path, tmp_path, ListReading(sheet="three"))
    (tmp_path / "x.csv").write_text(GOOD)
    with pytest.raises(RegistryFileError, match="is no spreadsheet: leave --sheet away"):
        taken(tmp_path / "x.csv", tmp_path, ListReading(sheet="two"))


def test_a_sheet_of_libreoffice_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    rows = [("Kennzeichen", "Land", "gültig ab", "gültig bis"), ("WÜ-AB 123", "D", "2026-02-01", "2027-01-31")]
    assert taken(ods(tmp_path / "list.csv", rows), tmp_path).added == 1
    assert shown(tmp_path) == [("WUAB123", "DE", "2026-02-01", "2027-01-31", "")]


def test_bad_rows_have_the_numbers_that_the_office_sees(tmp_path: Path) -> None:
    path = workbook(tmp_path / "l.xlsx", ("a", [(), (), CZECH, ROWS[0], ("1AB 9999", "CZ", "soon", "", "")]))
    done = taken(path, tmp_path)
    assert [(row.line, row.plate) for row in done.bad_rows] == [(5, "1AB9999")]


def zipped(path: Path, **parts: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def with_cell(path: Path, place: str, said: bytes, sheet: str = "xl/worksheets/sheet1.xml") -> Path:
    """A table with one more cell, at `place` such as A2, in a part of the archive that is called `sheet`."""
    made = workbook(path, ("a", [CZECH]))
    with zipfile.ZipFile(made) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").encode()
    cell = b'<row r="%s"><c r="%s" t="inlineStr"><is><t>%s</t></is></c></row></sheetData>' % (row, place.encode(), said)
    usual = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts.pop(usual).replace(b"</sheetData>", cell)
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(usual.encode(), sheet.encode())
    return zipped(path, **parts)


def far_apart(path: Path) -> Path:
    """Two cells at opposite ends of the largest sheet: a table of 17 billion cells."""
    return with_cell(path, "XFD1048576", b"far")


def repeated(path: Path) -> Path:
    """A sheet of LibreOffice with one cell that is there 67 million times."""
    made = ods(path, [("plate", "valid_to"), ("1AB2345", "x")])
    with zipfile.ZipFile(made) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    often = b'<table:table-row table:number-rows-repeated="1048576">'
    cell = b'<table:table-cell table:number-columns-repeated="32" '
    rows = parts["content.xml"].replace(b"<table:table-row>", often).replace(b"<table:table-cell ", cell)
    return zipped(path, **{**parts, "content.xml": rows})


def test_what_is_no_table_or_too_large_ends_in_one_line(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.xlsx", **{f"xl/{n}.xml": bytes(1 << 28) for n in range(5)})
    many = zipped(tmp_path / "many.xlsx", **{str(n): b"" for n in range(10_001)})
    empty = workbook(tmp_path / "empty.xlsx", ("a", []))
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(workbook(tmp_path / "whole.xlsx", ("a", [CZECH, *ROWS])).read_bytes()[:2000])
    old = tmp_path / "old.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    text = random.Random(1).randbytes(1 << 20).hex().encode()
    for path, said in (
        (bomb, r"unpacked it has 1,280 MB, and at most 1,024 MB are read: save the sheet as CSV"),
        (many, "has 10,001 parts, and at most 10,000 are looked at"),
        (far_apart(tmp_path / "far.xlsx"), "damaged, or takes more than 1024 MB of memory"),
        (repeated(tmp_path / "again.ods"), "damaged, or takes more than 1024 MB of memory"),
        (
            with_cell(tmp_path / "x.xlsx", "A2", bytes(9 << 20)),
            "'xl/worksheets/sheet1.xml' is packed more than 200 times",
        ),
        (
            with_cell(tmp_path / "t.xlsx", "A2", text),
            "a cell holds more than 32,767 characters, and no list is read that",
        ),
        (
            with_cell(tmp_path / "n.xlsx", "A2", text, "xl/worksheets/no_xml"),
            "a cell holds more than 32,767 characters",
        ),
        (with_cell(tmp_path / "w.xlsx", "A2", text[:40_000]), "a cell holds more than 32,767 characters"),
        (empty, "it holds nothing"),
        (cut, "no table can be read from it"),
        (old, "no table can be read from it"),
        (zipped(tmp_path / "photos.zip", readme=b"hello"), "no table can be read from it"),
    ):
        assert is_spreadsheet(path)
        with pytest.raises(RegistryFileError, match=said) as caught, as_csv(path):
            pass
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_long_cells_beside_those_of_a_list_are_taken(tmp_path: Path) -> None:
    """Remarks of 32,767 characters, each written as five, in a part of 400 kB."""
    rows = [(*CZECH, "Poznámka"), *((*row, "&" * 32_767) for row in ROWS)]
    assert taken(workbook(tmp_path / "list.xlsx", ("a", rows)), tmp_path).added == 3


def test_the_fault_of_a_sheet_names_the_file_and_the_sheet(tmp_path: Path) -> None:
    path = workbook(tmp_path / "l.xlsx", ("Ceník", [("zboží", "cena"), ("rohlík", 3)]))
    with pytest.raises(RegistryFileError, match=r"l\.xlsx, sheet 'Ceník': the first line must name the columns plate"):
        taken(path, tmp_path)


# what a person says of a list


def rows_of(path: Path, reading: ListReading) -> list[Vignette | BadRow]:
    return list(read_vignettes(path, PRAGUE, reading=reading))


def test_columns_and_a_country_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("Auto;Spustit;Zastavit\n1AB 2345;1.2.2026;31.1.2027\n")
    with pytest.raises(RegistryFileError, match="--columns plate=NAME"):
        rows_of(path, ListReading())
    told = list_reading(columns=["plate=auto", "valid_from=Spustit", "valid_to=ZASTAVIT"], country="Česko")
    (found,) = rows_of(path, told)
    assert not isinstance(found, BadRow)
    assert row_of(found, PRAGUE)[:4] == ("1AB2345", "CZ", "2026-02-01", "2027-01-31")


def test_a_country_that_is_said_is_that_of_rows_without_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("plate,country,valid_from,valid_to\n1AB2345,,2026-02-01,\nKV46RNE,UK,2026-02-01,\n")
    found = rows_of(path, list_reading(country="CZ"))
    assert [None if isinstance(row, BadRow) else row.country for row in found] == ["CZ", "UK"]


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ({"columns": ["plate"]}, "--columns plate: is COLUMN=NAME"),
        ({"columns": ["colour=barva"]}, "--columns colour=barva: is COLUMN=NAME"),
        ({"encoding": "klingon"}, "--encoding klingon: no such encoding"),
        ({"encoding": "zlib"}, "--encoding zlib: no such encoding"),
        ({"country": "Atlantis"}, "--country: "),
    ],
)
def test_what_is_said_wrongly_is_refused(told: dict[str, object], fault: str) -> None:
    with pytest.raises(RegistryFileError) as caught:
        list_reading(**told)  # type: ignore[arg-type]
    assert str(caught.value).startswith(fault)


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text(GOOD)
    with pytest.raises(RegistryFileError, match="there is no column 'auto' among 'plate', 'country'"):
        rows_of(path, list_reading(columns=["plate=auto"]))


@pytest.mark.parametrize("encoding", ["cp852", "mac_latin2", "cp1250", "utf-16", "utf-8"])
def test_old_encodings_are_found_by_the_header_or_said(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "l.csv"
    path.write_text("Registrační značka;Země;Platnost od;Platnost do\n1AB2345;CZ;1.2.2026;\n", encoding=encoding)
    for reading in (ListReading(), list_reading(encoding=encoding)):
        (found,) = rows_of(path, reading)
        assert not isinstance(found, BadRow), (encoding, found)


def test_an_encoding_that_is_said_wrongly_is_told(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("SPZ;Země;Platí od;Platí do\n1AB2345;CZ;1.2.2026;\n", encoding="cp1250")
    with pytest.raises(RegistryFileError, match="it is no UTF-8"):
        rows_of(path, list_reading(encoding="utf-8"))


# list, export, diff


@pytest.fixture
def db(tmp_path: Path) -> list[str]:
    return ["--db", str(tmp_path / "r.db")]


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_what_is_exported_is_imported_as_the_same(tmp_path: Path, db: list[str], name: str) -> None:
    rows = (
        *ROWS,
        ("6AB2345", "CZ", "2025-10-26T02:30:00+01:00", "2025-10-26T02:30:15Z", "-car"),  # an hour that comes twice
        ("3AB2345", "SK", "1970-01-01", "2026-03-29", ""),
        ("4AB2345", "SK", "2026-03-29T12:00", "9999-12-31", "a;b,c"),
    )
    first = workbook(tmp_path / "list.xlsx", ("a", [CZECH, *rows]))
    assert main(["registry", "import", str(first), *db]) == 0
    out = tmp_path / name
    assert main(["registry", "export", str(out), *db]) == 0
    assert main(["registry", "diff", str(out), *db]) == (0 if name.endswith("xlsx") else 1)
    again = tmp_path / "again"
    again.mkdir()
    taken(out, again)
    categories = [{v.category.lstrip("'") for v in held(folder)} for folder in (tmp_path, again)]
    assert categories[0] == categories[1]
    times = [
        {(v.plate, v.country, v.valid_from_ns, v.valid_to_ns) for v in held(folder)} for folder in (tmp_path, again)
    ]
    assert times[0] == times[1]


def test_a_difference_is_told_line_by_line(tmp_path: Path, db: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text(GOOD + "2AB2345,CZ,2026-02-01,2027-01-31,\n")
    (tmp_path / "b.csv").write_text(GOOD + "3AB2345,CZ,2026-02-01,,\n,CZ,2026-02-01,,\n")
    assert main(["registry", "import", str(tmp_path / "a.csv"), *db]) == 0
    capsys.readouterr()
    assert main(["registry", "diff", str(tmp_path / "a.csv"), *db]) == 0
    assert capsys.readouterr().out == "0 would be added, 0 removed, 2 stay\n"
    assert main(["registry", "diff", str(tmp_path / "b.csv"), *db]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["-", "2AB2345", "CZ", "2026-02-01", "..", "2027-01-31"]
    assert out[1].split() == ["+", "3AB2345", "CZ", "2026-02-01", "..", "without", "end"]
    assert out[2] == "1 would be added, 1 removed, 1 stay; 1 rows cannot be read: `import` names them"
    assert len(held(tmp_path)) == 2, "nothing was changed"


def test_what_is_held_is_listed(tmp_path: Path, db: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["registry", "list", *db]) == 2
    assert "there is no registry yet" in capsys.readouterr().err
    (tmp_path / "a.csv").write_text(GOOD + "KV46RNE,UK,2026-02-01,,\n")
    main(["registry", "import", str(tmp_path / "a.csv"), *db])
    capsys.readouterr()
    assert main(["registry", "list", "--limit", "1", *db]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["1AB2345", "CZ", "2026-02-01", "..", "2027-01-31", "car"]
    assert out[1].startswith("... and more")
    assert main(["registry", "list", "--of-country", "gb", "--json", *db]) == 0
    assert '"plate": "KV46RNE", "country": "UK"' in capsys.readouterr().out
    for wrong in ("0", "-1", "x"):
        with pytest.raises(SystemExit):
            main(["registry", "list", "--limit", wrong, *db])
        assert "is no number from 1 on" in capsys.readouterr().err


def test_an_export_goes_to_a_pipe_too(tmp_path: Path, db: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    main(["registry", "import", str(tmp_path / "a.csv"), *db])
    capsys.readouterr()
    assert main(["registry", "export", "-", *db]) == 0
    assert capsys.readouterr().out == GOOD
    (tmp_path / "file").touch()
    assert main(["registry", "export", str(tmp_path / "file" / "x.csv"), *db]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_a_sheet_comes_through_the_standard_input(
    tmp_path: Path, db: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(tmp_path / "list.xlsx", ("a", [CZECH, *ROWS]))

    class Input:
        buffer = io.BytesIO(path.read_bytes())

    monkeypatch.setattr("sys.stdin", Input)
    assert main(["registry", "import", "-", *db]) == 0
    assert len(held(tmp_path)) == 3


def test_known_plates_come_as_a_sheet_too(tmp_path: Path, db: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = workbook(tmp_path / "staff.xlsx", ("a", [("Vozidlo", "Jméno"), ("1AB 2345", "Novák")]))
    asked = ["lists", "import", "staff", str(path), "--columns", "plate=vozidlo", "--country", "CZ", *db]
    assert main(asked) == 0
    capsys.readouterr()
    assert main(["lists", "export", "staff", *db]) == 0
    assert "1AB 2345,CZ,Novák" in capsys.readouterr().out


def test_imports_and_checks_answer_programs(tmp_path: Path, db: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text(GOOD + "2AB2345,CZ,soon,,\n")
    assert main(["registry", "import", "--json", str(tmp_path / "a.csv"), *db]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["added"], told["rejected"], told["bad_rows"][0]["line"]) == (1, 1, 3)
    assert main(["registry", "check", "1AB2345", "--at", "2026-06-01", "--json", *db]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["vignettes"][0]["valid_to"]) == ("PAID", "2027-01-31")
