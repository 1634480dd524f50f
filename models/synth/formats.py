"""Random registrations of European countries with their real grammar and the places of their separators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.synth import districts
from models.synth.noise import weighted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.random import Generator

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
_YEAR_LETTERS = "ABCDEFGHJKLMNPRSTVWXY"


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration as it stands on a plate."""

    text: str
    """A-Z and 0-9 only, no separators."""
    groups: tuple[str, ...]
    """The parts between separators; their concatenation is `text`."""
    country: str
    """ISO 3166 alpha-2, with UK for the United Kingdom, US, and XX for no grammar at all."""
    style: str
    """Which of the country's patterns this is: current, prefix, vanity, electric..."""
    joints: tuple[str, ...]
    """What stands between the groups: gap, hyphen, dot or seal; one fewer than the groups."""


def sample(rng: Generator, weights: Mapping[str, float] | None = None) -> Registration:
    """A registration of a country drawn by `weights` (any positive scale), the default ones favouring UK and CZ."""
    shares = DEFAULT_WEIGHTS if weights is None else weights
    return of_country(rng, weighted(rng, shares))


def of_country(rng: Generator, country: str) -> Registration:
    """A registration of `country`; raises KeyError for a country without a grammar."""
    style, spelled = _GRAMMARS[country](rng)
    return registration(spelled, country, style)


_JOINTS = {" ": "gap", "-": "hyphen", ".": "dot", "*": "seal"}


def registration(spelled: str, country: str, style: str = "current") -> Registration:
    """A registration from its spelling: a space is a gap, `-` a hyphen, `.` a dot and `*` a seal."""
    groups, joints = [""], []
    for character in spelled:
        if character in _JOINTS:
            joints.append(_JOINTS[character])
            groups.append("")
        else:
            groups[-1] += character
    return Registration("".join(groups), tuple(groups), country, style, tuple(joints))


def _pick(rng: Generator, choices: str | tuple[str, ...] | list[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _several(rng: Generator, alphabet: str, count: int) -> str:
    return "".join(alphabet[i] for i in rng.integers(len(alphabet), size=count))


def _without(excluded: str) -> str:
    return "".join(letter for letter in LETTERS if letter not in excluded)


def _fill(rng: Generator, pattern: str, letters: str = LETTERS) -> str:
    r"""`pattern` with A replaced by a letter, 9 by a digit and everything else kept; \\A is a literal A."""
    out, literal = [], False
    for character in pattern:
        if literal:
            out.append(character)
            literal = False
        elif character == "\\":
            literal = True
        elif character == "A":
            out.append(_pick(rng, letters))
        elif character == "9":
            out.append(_pick(rng, DIGITS))
        else:
            out.append(character)
    return "".join(out)


def _number(rng: Generator, digits: int) -> str:
    """A number of at most `digits` digits without leading zeros, long ones as frequent as in a running series."""
    length = weighted(rng, {count: 2.0**count for count in range(1, digits + 1)})
    return str(int(rng.integers(1, 10**length)))


def _word(rng: Generator, length: int, banned: str = "") -> str:
    """Letters in alternating consonants and vowels, as people choose them for their own plates."""
    consonants = "".join(c for c in "BBCDDFGHJKLLMMNNPRRRSSSTTVWXYZ" if c not in banned)
    vowels = "".join(c for c in "AAEEIIOU" if c not in banned)
    turn = int(rng.integers(2))
    word = ""
    for i in range(length):
        straight = rng.random() < 0.85
        word += _pick(rng, vowels if ((i + turn) % 2 == 0) == straight else consonants)
    return word


def _uk(rng: Generator) -> tuple[str, str]:
    style = weighted(rng, _UK_STYLES)
    tail = _several(rng, _without("IQ"), 3)
    if style == "current":
        return style, f"{_pick(rng, districts.UK_AREAS)}{_uk_age(rng)} {tail}"
    year_letter = _pick(rng, _YEAR_LETTERS)
    if style == "prefix":
        return style, f"{year_letter}{_number(rng, 3)} {tail}"
    if style == "suffix":
        return style, f"{tail} {_number(rng, 3)}{_pick(rng, _YEAR_LETTERS)}"
    if style == "northern_irish":
        first, mark = _pick(rng, _without("Q")), _pick(rng, districts.NI_MARKS)
        return style, f"{first}{mark} {_number(rng, 4)}"
    if style == "dateless":
        letters, number = _several(rng, _without("Q"), int(rng.integers(1, 4))), _number(rng, 4)
        return style, f"{letters} {number}" if rng.random() < 0.5 else f"{number} {letters}"
    return style, _uk_personal(rng)


def _uk_age(rng: Generator) -> str:
    year = int(rng.integers(1, 27))
    return f"{year:02d}" if year > 1 and rng.random() < 0.5 else f"{min(year, 25) + 50:02d}"


def _uk_personal(rng: Generator) -> str:
    """A current or prefix registration spaced to make a word, or with numbers that look like letters."""
    kind = int(rng.integers(4))
    if kind == 0:
        return f"{_pick(rng, _YEAR_LETTERS)}{_pick(rng, DIGITS[1:])} {_word(rng, 3, 'QI')}"
    if kind == 1:
        age = weighted(rng, {"10": 3, "11": 2, "51": 3, "15": 2, "55": 2, "08": 1})
        return f"{_word(rng, 2, 'QIZ')}{age} {_word(rng, 3, 'QI')}"
    if kind == 2:
        number = _pick(rng, ("1", "10", "11", "111", "777", "5", "8"))
        return f"{_pick(rng, _YEAR_LETTERS)}{number} {_word(rng, 3, 'QI')}"
    whole = f"{_pick(rng, _YEAR_LETTERS)}{_number(rng, 3)}{_word(rng, 3, 'QI')}"
    cut = int(rng.integers(1, len(whole)))
    return f"{whole[:cut]} {whole[cut:]}"


_UK_STYLES = {
    "current": 0.66,
    "prefix": 0.13,
    "suffix": 0.04,
    "dateless": 0.05,
    "northern_irish": 0.05,
    "personal": 0.07,
}
_CZ_LETTERS = _without("GOQW")


def _cz(rng: Generator) -> tuple[str, str]:
    style = weighted(
        rng, {"current": 0.5, "two_letters": 0.25, "vanity": 0.13, "electric": 0.03, "old": 0.06, "veteran": 0.03}
    )
    if style == "current":
        region = _pick(rng, "AAAASSSBBBTTTCEHJKLMPUZ")
        return style, f"{_pick(rng, DIGITS[1:])}{region}{_pick(rng, DIGITS)}*{_several(rng, DIGITS, 4)}"
    if style == "two_letters":
        second = _pick(rng, _CZ_LETTERS)
        return style, f"{_pick(rng, DIGITS[1:])}{_pick(rng, 'AAASSSBBTTCEHJKLMPUZ')}{second}*{_several(rng, DIGITS, 4)}"
    if style == "vanity":
        body = _word(rng, 8, "GOQW") if rng.random() < 0.7 else _several(rng, _CZ_LETTERS + DIGITS, 8)
        digits = int(rng.integers(1, 4))
        at = 8 - digits if rng.random() < 0.7 else int(rng.integers(0, 9 - digits))
        body = body[:at] + _several(rng, DIGITS, digits) + body[at + digits :]
        return style, f"{body[:3]}*{body[3:]}"
    if style == "electric":
        return style, f"EL{_pick(rng, DIGITS)}*{_fill(rng, '99AA', _CZ_LETTERS)}" if rng.random() < 0.5 else _fill(
            rng, "EL*999AA", _CZ_LETTERS
        )
    if style == "old":
        return style, f"{_pick(rng, districts.CZ_OLD)}{_pick(rng, _CZ_LETTERS)}*{_fill(rng, '99-99')}"
    return style, _fill(rng, "99V*9999") if rng.random() < 0.5 else _fill(rng, "9A9*999R", "ASBTCEHJKLMPUZ")


def _sk(rng: Generator) -> tuple[str, str]:
    style = weighted(rng, {"old": 0.62, "current": 0.25, "vanity": 0.1, "electric": 0.03})
    letters, district = _without("QGOW"), _pick(rng, districts.SK)
    if style == "old":
        return style, _fill(rng, f"{_literal(district)}*999AA", letters)
    if style == "current":
        return style, _fill(rng, "AA*999AA", letters)
    if style == "electric":
        return style, _fill(rng, "EL*999AA", letters)
    return style, f"{district}*" + (
        _word(rng, 5, "QW") if rng.random() < 0.6 else _word(rng, 4, "QW") + _pick(rng, DIGITS)
    )


def _literal(text: str) -> str:
    return "".join(f"\\{character}" for character in text)


def _de(rng: Generator) -> tuple[str, str]:
    letters = _several(rng, _without("Q"), weighted(rng, {1: 0.2, 2: 0.8}))
    district = _pick(rng, districts.DE)
    room = 8 - len(district) - len(letters)
    style = weighted(rng, {"current": 0.82, "electric": 0.07, "historic": 0.04, "season": 0.05, "official": 0.02})
    if style == "official":
        return style, f"{district}*{_number(rng, 5)}"
    suffix = {"electric": "E", "historic": "H"}.get(style, "")
    number = _number(rng, min(4, room - len(suffix)))
    return style, f"{district}*{letters} {number}{suffix}"


_PL_TWO = {"99999": 4, "9999A": 2, "999AA": 3, "9A999": 1, "9AA99": 1}
_PL_THREE = {
    "A999": 2,
    "99AA": 3,
    "9A99": 3,
    "99A9": 3,
    "9AA9": 2,
    "AA99": 3,
    "99999": 4,
    "9999A": 2,
    "999AA": 2,
    "A99A": 1,
}


def _pl(rng: Generator) -> tuple[str, str]:
    serial = _without("BDIOZQ")
    if rng.random() < 0.05:
        return "vanity", f"{_pick(rng, 'BCDEFGKLNOPRSTWZ')}{_pick(rng, DIGITS)}*{_word(rng, 5, 'Q')}"
    code = _pick(rng, districts.PL)
    patterns = _PL_TWO if len(code) == 2 else _PL_THREE
    return "current", f"{code}*{_fill(rng, weighted(rng, patterns), serial)}"


def _at(rng: Generator) -> tuple[str, str]:
    district = _pick(rng, districts.AT)
    if rng.random() < 0.08:
        return "vanity", f"{district}*{_word(rng, int(rng.integers(3, 5)), 'Q')} {_number(rng, 2)}"
    digits = 5 if len(district) == 1 else weighted(rng, {3: 0.6, 4: 0.4})
    tail = _several(rng, _without("QO"), 1 if digits >= 4 else 2)
    return "current", f"{district}*{_several(rng, DIGITS[1:], 1)}{_several(rng, DIGITS, digits - 1)} {tail}"


_NL_PATTERNS = {
    "AA-99-99": 1, "99-99-AA": 1, "99-AA-99": 3, "AA-99-AA": 4, "AA-AA-99": 5, "99-AA-AA": 7, "99-AAA-9": 9,
    "9-AAA-99": 9, "AA-999-A": 9, "A-999-AA": 8, "AAA-99-A": 2, "9-AA-999": 1,
}  # fmt: skip


def _nl(rng: Generator) -> tuple[str, str]:
    return "current", _fill(rng, weighted(rng, _NL_PATTERNS), "BDFGHJKLNPRSTVXZ")


def _fr(rng: Generator) -> tuple[str, str]:
    if rng.random() < 0.8:
        return "current", _fill(rng, "AA-999-AA", _without("IOU"))
    department = f"{int(rng.integers(1, 96)):02d}"
    tail = _several(rng, _without("IOQU"), weighted(rng, {2: 0.4, 3: 0.6}))
    return "old", f"{_number(rng, 4) if len(tail) == 2 else _number(rng, 3)} {tail} {department}"


def _es(rng: Generator) -> tuple[str, str]:
    if rng.random() < 0.82:
        return "current", _fill(rng, "9999 AAA", "BCDFGHJKLMNPRSTVWXYZ")
    province = _pick(rng, districts.ES)
    return "old", f"{province}-{_several(rng, DIGITS, 4)}-{_several(rng, _without('QIO'), int(rng.integers(1, 3)))}"


def _simple(*patterns: str, letters: str = LETTERS) -> Callable[[Generator], tuple[str, str]]:
    """A grammar of equally frequent patterns."""
    return lambda rng: ("current", _fill(rng, _pick(rng, patterns), letters))


def _ro(rng: Generator) -> tuple[str, str]:
    county = _pick(rng, districts.RO) if rng.random() < 0.7 else "B"
    digits = 3 if county == "B" and rng.random() < 0.6 else 2
    tail = _several(rng, _without("IOQ"), 3)
    return "current", f"{county} {_several(rng, DIGITS, digits)} {tail}"


def _coded(codes: tuple[str, ...], *tails: str, letters: str = LETTERS) -> Callable[[Generator], tuple[str, str]]:
    """A grammar of a district code and one of several tails."""
    return lambda rng: ("current", _literal_fill(rng, _pick(rng, codes), _pick(rng, tails), letters))


def _literal_fill(rng: Generator, code: str, tail: str, letters: str) -> str:
    return code + _fill(rng, tail, letters)


def _ie(rng: Generator) -> tuple[str, str]:
    year = int(rng.integers(0, 25))
    age = f"{year:02d}" if year < 13 else f"{year}{int(rng.integers(1, 3))}"
    county = _pick(rng, districts.IE)
    return "current", f"{age}-{county}-{_number(rng, 9 - len(age) - len(county))}"


def _ch(rng: Generator) -> tuple[str, str]:
    return "current", f"{_pick(rng, districts.CH)}.{_number(rng, 6)}"


def _tr(rng: Generator) -> tuple[str, str]:
    letters = _several(rng, _without("QWX"), int(rng.integers(1, 4)))
    digits = 5 - len(letters) if len(letters) > 1 else 4
    return "current", f"{int(rng.integers(1, 82)):02d} {letters} {_several(rng, DIGITS, digits)}"


def _random(rng: Generator) -> tuple[str, str]:
    body = _several(rng, LETTERS + DIGITS, int(rng.integers(4, 10)))
    cuts = sorted(rng.choice(range(1, len(body)), size=int(rng.integers(0, 3)), replace=False))
    joint = _pick(rng, " -. ")
    for cut in reversed(cuts):
        body = body[:cut] + joint + body[cut:]
    return "random", body


_GREEK = "ABEZHIKMNOPTYX"
_CYRILLIC = "ABCEHIKMOPTX"
_BALTIC = _without("QWXY")

_GRAMMARS: dict[str, Callable[[Generator], tuple[str, str]]] = {
    "UK": _uk, "CZ": _cz, "SK": _sk, "DE": _de, "PL": _pl, "AT": _at, "NL": _nl, "FR": _fr, "ES": _es,
    "IT": _simple("AA 999AA", letters=_without("IOQU")),
    "HU": _simple("AAA-999", "AAA-999", "AAA-999", "AA*AA-999", "AA AA-999", letters=_without("Q")),
    "RO": _ro,
    "HR": _coded(districts.HR, "*999-AA", "*9999-AA", "*999-A", letters=_without("QWXY")),
    "SI": _coded(districts.SI, "*AA-999", "*99-9AA", "*A9-99A", letters=_without("QWXY")),
    "IE": _ie,
    "BE": _simple("1-AAA-999", "1-AAA-999", "2-AAA-999", "AAA-999", "999-AAA", letters=_without("IOQ")),
    "PT": _simple("99-AA-99", "99-99-AA", "AA-99-99", "AA-99-AA", letters=_without("KWY")),
    "DK": _simple("AA 99 999", letters=_without("IOQW")),
    "SE": _simple("AAA 999", "AAA 999", "AAA 99A", letters=_without("IQV")),
    "NO": _coded(districts.NO, " 99999"),
    "FI": _simple("AAA-999", "AAA-99", letters=_without("Q")),
    "CH": _ch,
    "LT": _simple("AAA 999", "AAA*999", letters=_BALTIC),
    "LV": _simple("AA-9999", "AA-999", "AA-99", letters=_BALTIC),
    "EE": _simple("999 AAA", "999 AAA", "99 AAA", letters=_BALTIC),
    "BG": _coded(districts.BG, " 9999 AA", letters="ABEKMHOPCTYX"),
    "UA": _simple("AA 9999 AA", letters=_CYRILLIC),
    "GR": _simple("AAA-9999", letters=_GREEK),
    "LU": _simple("AA 9999", "AA 9999", "99999", letters=_without("IOQ")),
    "RS": _coded(districts.RS, "*999-AA", "*9999-AA", letters=_without("QWXY")),
    "TR": _tr,
    "US": _simple("9AAA999", "AAA 9999", "AAA-9999", "AAA 999", "999 AAA", "AA9 99A", "AAA9999"),
    "XX": _random,
}  # fmt: skip

DEFAULT_WEIGHTS: Mapping[str, float] = {
    "UK": 30, "CZ": 14, "SK": 6, "DE": 8, "PL": 8, "AT": 3, "NL": 3, "FR": 4, "ES": 3, "IT": 2, "HU": 3, "RO": 2,
    "HR": 1.5, "SI": 1, "IE": 1, "BE": 1, "PT": 1, "DK": 0.7, "SE": 0.7, "NO": 0.7, "FI": 0.7, "CH": 0.7, "LT": 0.7,
    "LV": 0.5, "EE": 0.5, "BG": 0.7, "UA": 0.7, "GR": 0.7, "LU": 0.4, "RS": 0.5, "TR": 0.5, "US": 1, "XX": 2,
}  # fmt: skip
COUNTRIES = tuple(_GRAMMARS)
