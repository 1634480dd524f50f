"""What the columns of a registry's list are called, by offices of several countries."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# English, Czech, Slovak, German, Polish and a few words of others; in small letters without accents, ae for a umlaut
# written so. The first of each is the name that the documentation uses.
_NAMES = {
    "plate": "plate plate_number number_plate licence_plate license_plate registration registration_number "
    "registration_plate registration_mark vehicle_registration vrm vrn reg_no lpn spz rz registracni_znacka "
    "registracni_znacka_vozidla cislo_rz statni_poznavaci_znacka poznavaci_znacka znacka ecv evc evidencne_cislo "
    "evidencne_cislo_vozidla kennzeichen kfz_kennzeichen amtliches_kennzeichen autokennzeichen nummernschild "
    "numer_rejestracyjny nr_rejestracyjny nr_rej tablica_rejestracyjna rejestracja rendszam plaque "
    "immatriculation targa matricula registrska_stevilka registracija registarska_oznaka kenteken",
    "country": "country country_code country_of_registration registration_country nationality zeme zeme_registrace "
    "kod_zeme stat stat_registrace statni_prislusnost mpz krajina krajina_registracie kod_krajiny land laendercode "
    "landercode staat zulassungsland herkunftsland nationalitat nationalitaet kraj kraj_rejestracji kod_kraju panstwo "
    "orszag pays paese pais drzava",
    "category": "category vehicle_category vehicle_class class vehicle_type kategorie kategorie_vozidla trida "
    "trida_vozidla druh_vozidla typ_vozidla kategoria kategoria_vozidla fahrzeugkategorie fahrzeugklasse klasse "
    "fahrzeugart fahrzeugtyp kategoria_pojazdu rodzaj_pojazdu",
    "valid_from": "valid_from valid_since from start start_date begin begin_date validity_start valid_from_date "
    "plati_od platnost_od platny_od platna_od platne_od zacatek_platnosti zaciatok_platnosti od datum_od "
    "gultig_ab gueltig_ab gultig_von gueltig_von gultigkeitsbeginn gueltigkeitsbeginn ab von beginn "
    "wazny_od wazna_od wazne_od data_od poczatek_waznosci",
    "valid_to": "valid_to valid_until valid_till valid_thru to until till end end_date expires expiry expiry_date "
    "expiration expiration_date validity_end valid_to_date plati_do platnost_do platny_do platna_do platne_do "
    "konec_platnosti koniec_platnosti do datum_do gultig_bis gueltig_bis gultigkeitsende gueltigkeitsende bis ende "
    "ablauf ablaufdatum wazny_do wazna_do wazne_do data_do koniec_waznosci",
    "name": "name owner holder driver who jmeno jmeno_a_prijmeni drzitel majitel meno nazev halter inhaber "
    "fahrer imie_i_nazwisko wlasciciel kierowca",
    "group": "group department unit flat company skupina oddeleni firma byt gruppe abteilung wohnung grupa dzial",
    "pattern": "pattern plate_pattern vzor vzorec maska muster wzor wzorzec",
    "reason": "reason exemption exemption_reason duvod dovod grund befreiungsgrund powod",
}
_MEANING = {alias: column for column, names in _NAMES.items() for alias in names.split()}


def find_columns(names: Sequence[str], wanted: Sequence[str], told: Mapping[str, str] | None = None) -> dict[str, int]:
    """Where each of the `wanted` columns stands in a header line `names`; those that are not there are left out.

    What `told` says a column is called wins, then the documented name over any other. Raises ValueError where two
    columns could be the same one, or a name that was told is not there.
    """
    told = told or {}
    said = {column: _place(names, name) for column, name in told.items() if column in wanted}
    rest = [name if place not in said.values() else "" for place, name in enumerate(names)]
    return {**_known_columns(rest, [column for column in wanted if column not in said]), **said}


def _place(names: Sequence[str], name: str) -> int:
    found = [place for place, each in enumerate(names) if plain_name(each) == plain_name(name)]
    if len(found) != 1:
        shown = ", ".join(repr(each.strip()) for each in names if each.strip())
        raise ValueError(f"there {'are several columns' if found else 'is no column'} {name!r} among {shown}")
    return found[0]


def _known_columns(names: Sequence[str], wanted: Sequence[str]) -> dict[str, int]:
    places: dict[str, list[int]] = {}
    exact: dict[str, int] = {}
    for place, name in enumerate(names):
        plain = plain_name(name)
        column = _MEANING.get(plain)
        if column is not None and column in wanted:
            places.setdefault(column, []).append(place)
            if plain == column:
                exact.setdefault(column, place)
    found = {}
    for column, several in places.items():
        if column in exact:
            found[column] = exact[column]
        elif len(several) == 1:
            found[column] = several[0]
        else:
            shown = " and ".join(repr(names[place].strip()) for place in several)
            raise ValueError(f"{shown} could both be the column {column}: call the right one {column}")
    return found


def plain_name(name: str) -> str:
    """`name` in small letters without accents, its words joined by underscores."""
    bare = unicodedata.normalize("NFKD", name.strip().casefold().replace("\N{LATIN SMALL LETTER L WITH STROKE}", "l"))
    return re.sub(r"[^a-z0-9]+", "_", "".join(c for c in bare if not unicodedata.combining(c))).strip("_")
