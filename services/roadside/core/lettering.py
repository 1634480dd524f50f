"""From a plate as an office writes it to the characters that a reader sees: accents, umlauts, Cyrillic and Greek."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress

from roadside.core.reads import ALPHABET, FOLDED

_SEPARATORS = frozenset("\t.:/'|_\N{MIDDLE DOT}\N{BULLET}\N{RIGHT SINGLE QUOTATION MARK}")
"""What stands between the characters of a plate in lists, beside spaces and dashes of every kind."""
_ASCII_GAPS = str.maketrans(dict.fromkeys("\t.:/'|_-", " "))
_ALIKE = str.maketrans(FOLDED)
"""As `roadside.core.plates.fold`; here nothing is left to drop."""
_PLAIN = {
    "\N{LATIN CAPITAL LETTER L WITH STROKE}": "L",
    "\N{LATIN CAPITAL LETTER D WITH STROKE}": "D",
    "\N{LATIN CAPITAL LETTER ETH}": "D",
    "\N{LATIN CAPITAL LETTER H WITH STROKE}": "H",
    "\N{LATIN CAPITAL LETTER O WITH STROKE}": "O",
    "\N{LATIN CAPITAL LETTER AE}": "AE",
    "\N{LATIN CAPITAL LIGATURE OE}": "OE",
    "\N{LATIN CAPITAL LETTER SHARP S}": "SS",
    "\N{LATIN CAPITAL LETTER THORN}": "TH",
}
"""Latin letters that Unicode does not take apart; as in machine-readable travel documents (ICAO 9303-3, section 6),
but with the one character that a reader sees where there is one."""

# Convention on Road Traffic, Vienna 1968, Annex 2: in international traffic a registration number has capital Latin
# letters. These countries therefore only use letters that have a Latin twin, and a list may hold either of the two.
_CYRILLIC_TWINS = dict(
    zip(
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406",
        "ABEKMHOPCTYXI",
        strict=True,
    )
)
_GREEK_TWINS = dict(
    zip(
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
        "ABEZHIKMNOPTYX",
        strict=True,
    )
)
# Serbian plates have Latin letters; a list in Cyrillic is a transcription of them, letter by letter (Vuk's alphabet).
_SERBIAN = dict(
    zip(
        "\u0410\u0411\u0412\u0413\u0414\u0402\u0415\u0416\u0417\u0418\u0408\u041a\u041b\u041c\u041d\u041e\u041f\u0420"
        "\u0421\u0422\u040b\u0423\u0424\u0425\u0426\u0427\u0428",
        "ABVGDDEZZIJKLMNOPRSTCUFHCCS",
        strict=True,
    )
)
_SCRIPTS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("BG", "BY", "KG", "KZ", "MD", "RU", "TJ", "UA", "UZ"), _CYRILLIC_TWINS),
    **dict.fromkeys(("CY", "GR"), _GREEK_TWINS),
    **dict.fromkeys(("BA", "ME", "MK", "RS"), _SERBIAN),
}

# Districts with an umlaut (Anlage 1 zur Fahrzeug-Zulassungsverordnung, those that ran out but are still driven
# included); an umlaut is only ever in the district. An office without the letter writes WUE for it.
_UMLAUT_DISTRICTS = (
    "AÖ BÖ BÜD BÜR BÜS BÜZ DÜW FÜ FÜS GÖ GÜ HMÜ HÖS HÜN JÜL KÖM KÖN KÖT KÖZ KÜN LÖ LÖB LÜD LÜN MÜ MÜB MÜL MÜN "
    "MÜR NÖ NRÜ ÖHR PLÖ PRÜ RÜD RÜG SÄK SLÜ SMÜ SÖM SÜW TÖL TÖN TÜ ÜB WÜ WÜM"
)
_UMLAUTS = {"\u00c4": "AE", "\u00d6": "OE", "\u00dc": "UE"}


_DISTRICTS = {
    "".join(_UMLAUTS.get(c, c) for c in district): "".join(_UMLAUTS.get(c, c)[0] for c in district)
    for district in _UMLAUT_DISTRICTS.split()
}
_UNBROKEN = re.compile(
    rf"({'|'.join(sorted(set(_DISTRICTS) - {'UEB'}, key=len, reverse=True))})([A-Z]{{1,2}}[1-9][0-9]{{0,3}}[EH]?)"
)
"""A plate without a break: letters of the series must follow the district, so that W-UE 12 stays what it is. UEB is
left out, for UEBA12 is more likely UE-BA 12."""
_DOTTED = re.compile("([AOU])\N{COMBINING DIAERESIS}")


def plate_key(text: str, country: str = "") -> str:
    """`text`, as an office of `country` writes it, folded as `roadside.core.plates.fold` does.

    Accents are dropped, as a reader does not see them either; an umlaut that a German office wrote out (WUE) is the
    letter on the plate; Cyrillic and Greek letters become the Latin ones that the plates of the country bear.
    Raises ValueError for whatever else is no letter, digit or separator: nothing is left out unsaid.
    """
    return plate_text(text, country).translate(_ALIKE)


def plate_text(text: str, country: str = "") -> str:
    """As `plate_key`, with O, Q and I as they were written. Raises ValueError as it does."""
    spaced = _latin(text, country)
    joined = spaced.replace(" ", "")
    if country != "DE":
        return joined
    head, gap, rest = spaced.partition(" ")
    if gap and head in _DISTRICTS:
        return _DISTRICTS[head] + rest.replace(" ", "")
    whole = _UNBROKEN.fullmatch(joined)
    if whole is not None and not gap:
        return _DISTRICTS[whole[1]] + whole[2]
    return joined


def pattern_key(pattern: str, country: str = "") -> str:
    """An exemption's `pattern` as `plate_key` writes plates, its `?` and its closing `*` kept.

    Raises ValueError as `plate_key` does.
    """
    pattern = pattern.strip()
    ending = "*" if pattern.endswith("*") else ""
    body = pattern.removesuffix("*")
    spaced = "?".join(_latin(part, country) for part in body.split("?"))
    head, gap, rest = spaced.partition(" ")
    if country == "DE" and (gap or not body[-1:].isalnum()):
        spaced = _DISTRICTS.get(head, head) + rest
    return "?".join(_fold(part) for part in spaced.split("?")) + ending


def spellings(text: str, country: str | None = None) -> tuple[str, ...]:
    """Every folded plate that `text` may mean where a person typed it, the likeliest first.

    Without a `country` it may be of each. Raises ValueError as `plate_key` does.
    """
    keys: dict[str, None] = {}
    fault: ValueError | None = None
    for tried in [country] if country is not None else ["", "DE", *_SCRIPTS]:
        try:
            keys[plate_key(text, tried)] = None
        except ValueError as error:
            fault = fault or error
    if not keys and fault is not None:
        raise fault
    decomposed = unicodedata.normalize("NFD", text.upper())
    if _DOTTED.search(decomposed):
        with suppress(ValueError):  # a list may hold it written out, and of no district known here
            keys[plate_key(_DOTTED.sub(r"\1E", decomposed))] = None
    return tuple(keys)


def _latin(text: str, country: str) -> str:
    """`text` in A-Z, 0-9 and single spaces. Raises ValueError."""
    upper = text.upper()
    if upper.isascii():  # nearly all: the rest of this would take most of the time of an import
        if upper.isalnum():
            return upper
        spaced = " ".join(upper.translate(_ASCII_GAPS).split())
        if not spaced or spaced.replace(" ", "").isalnum():
            return spaced
    script = _SCRIPTS.get(country, {})
    out = []
    for character in unicodedata.normalize("NFD", upper):
        kind = unicodedata.category(character)
        if kind in ("Mn", "Cf"):
            continue
        if kind in ("Zs", "Pd") or character in _SEPARATORS:
            out.append(" ")
            continue
        latin = character if character in ALPHABET else _PLAIN.get(character) or script.get(character)
        if latin is None and kind in ("Lu", "Nd"):  # full-width forms
            latin = unicodedata.normalize("NFKC", character)
        if latin is None or any(c not in ALPHABET for c in latin):
            raise ValueError(f"{text[:40]!r} is no plate: {_name(character)} is on none{_of(country)}")
        out.append(latin)
    return " ".join("".join(out).split())


def _fold(spaced: str) -> str:
    return spaced.replace(" ", "").translate(_ALIKE)


def _name(character: str) -> str:
    if character.isascii() and character.isprintable():
        return repr(character)
    return f"U+{ord(character):04X} ({unicodedata.name(character, 'a control character').lower()})"


def _of(country: str) -> str:
    return f" of {country}" if country else ""
