"""What can stand on a plate: normal form, country formats, and what a grammar may decide."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.core.country_evidence import named_country
from roadside.core.formats import GRAMMARS, LETTERS, Grammar
from roadside.core.reads import ALPHABET, FOLDED
from roadside.core.special_series import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from roadside.core.reads import Hypothesis

GRAMMAR_WEIGHT = 20.0
"""A text in a country's current format is taken for this much likelier than one in none: so a character gives way
to another only where the reader itself gave the other more than about a twentieth of its probability, and a
plate made to order is kept as it is read."""
SAME_GLYPH = {"O": "0Q", "0": "OQ", "Q": "0O", "I": "1", "1": "I"}
"""Characters that most countries draw alike; the place in the format tells which is meant."""
COUNTRY_DOUBT = 0.03
"""Of a reader's country probabilities goes to all countries alike: no look of a plate is proof."""
COUNTRY_SURE = 0.5
LEAST_CURRENT = 0.1
"""Weight of a format that is taken for current: series withdrawn long ago and words made to order have less."""
USUAL = 1.0
"""Weight of the format that a country gives out today."""
LOOSE = frozenset({"DE"})
"""Countries whose districts are not listed here: any short word before a number fits them."""
SPECIAL_WEIGHT = 1.0 / GRAMMAR_WEIGHT
"""Of the formats of special series: read as they stand, neither likelier nor less likely than no format at all."""
FOLD_WEIGHT = 0.15
"""A format that fits only after such a change counts this much in a country that draws the two apart."""
NOT_WORTH_A_GRAMMAR = 2e-3
"""A hypothesis with less than this share of the best one's probability is left as it is: no weight helps it."""
TOO_LIGHT = 1e-3
"""A format with less than this for its country's probability times its weight cannot move a ranking: not tried."""
_FOLD = str.maketrans(FOLDED)
_DIGITS = "0123456789"
_TOKEN = re.compile(r"(<\w+>|[ -]|\w)(?:\{(\d+)(?:,(\d+))?\})?")


@dataclass(frozen=True, slots=True)
class Form:
    """One format at one length."""

    country: str
    slots: tuple[frozenset[str], ...]
    """For each place the characters that may stand there."""
    separators: tuple[tuple[int, str], ...]
    """(characters before it, the separator), in order."""
    weight: float
    code: tuple[int, frozenset[str]] | None
    """Where a code of the country begins, and all codes of this length."""
    series: str = ""
    """Diplomatic, army...: of whom, where it is no ordinary plate."""
    needs_digit: bool = False
    """Whether letters alone are none, though each may stand where it stands."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A plate under the grammars."""

    text: str
    country: str | None
    log_p: float
    source: str
    """The hypothesis as it was read; `text` differs from it only in characters of one glyph."""


def normalise(text: str) -> str:
    """Upper case A-Z and 0-9 alone: accents are dropped with everything else that is no such character."""
    plain = unicodedata.normalize(
        "NFKD", text.replace("ß", "SS").replace("\N{LATIN SMALL LETTER DOTLESS I}", "I")
    ).upper()
    return "".join(c for c in plain if c in ALPHABET)


def fold(text: str) -> str:
    """`text` normalised with O and Q as 0 and I as 1, for comparing plates across fonts that draw them alike."""
    return normalise(text).translate(_FOLD)


def format_plate(text: str, country: str | None) -> str:
    """`text` (normalised) with the separators of its country; unchanged where no format of the country fits."""
    fitting = [form for resolved, form in resolve(text, country) if resolved == text] if country else []
    if not fitting:
        return text
    best = max(fitting, key=lambda form: form.weight)
    out = text
    for place, separator in reversed(best.separators):
        out = out[:place] + separator + out[place:]
    return out


def resolve(text: str, country: str | None = None) -> Iterator[tuple[str, Form]]:
    """The formats (of `country`, or of all) that `text` fits, with the text as they read it.

    A character is only changed to one of the same glyph, and only where it could not stand itself.
    """
    for signature in _signatures(text):
        for form in _FORMS.get(signature, ()):
            if country is not None and form.country != country:
                continue
            resolved = _fit(text, form)
            if resolved is not None and _signature(resolved) == signature:
                yield resolved, form


def series_of(text: str, country: str | None) -> str | None:
    """The special series of `country` (where unknown: of any) that `text` belongs to: diplomatic, army...; or None."""
    return next((form.series for _, form in resolve(text, country) if form.series), None)


def may_be_of(text: str, country: str) -> bool:
    """Whether `text` fits any format of `country`, however old or special; True of a country without known formats.

    Words to order are left out where they may be any letters and digits: every plate of any country would be one.
    """
    if country not in GRAMMARS:
        return True
    return any(not form.needs_digit or form.weight >= LEAST_CURRENT for _, form in resolve(text, country))


def is_current(text: str, country: str | None) -> bool:
    """Whether `text` is an ordinary plate of a current format of `country`, or for None of any country's usual one.

    A word that a country would let somebody have on his plate is none: it stands on shops and lorries far more often.
    """
    fitting = [(resolved, form) for resolved, form in resolve(text, country) if not form.series]
    if not any(c in _DIGITS for c in text):
        return False
    if country is not None:
        return any(form.weight >= LEAST_CURRENT for _, form in fitting)
    return any(form.weight >= USUAL and resolved == text and form.country not in LOOSE for resolved, form in fitting)


def every_form() -> Sequence[Form]:
    """Every format at each of its lengths, each once."""
    return _EVERY


def rank_under_grammar(
    hypotheses: Sequence[Hypothesis], countries: Sequence[tuple[str, float]] = (), count: int = 8
) -> tuple[Ranked, ...]:
    """The most probable plates, best first, when the formats of the countries are known.

    `countries` are (country, probability) as the look of the plate tells; none given means that nothing is
    known. The probabilities of the answers share out that of all `hypotheses` together: what the reader did
    not say at all stays unsaid. A text that a format reads otherwise, by characters of one glyph, keeps next to
    nothing for itself: the plate that it names would look the same and fit nothing.

    Raises ValueError where there is no hypothesis.
    """
    if not hypotheses:
        raise ValueError("no hypothesis to rank")
    prior = _country_prior(countries)
    looks = max(prior, key=lambda country: prior[country])
    look = prior[looks] / sum(prior.values())
    top = max(h.log_p for h in hypotheses)
    total = sum(math.exp(h.log_p - top) for h in hypotheses)
    scores: dict[str, float] = defaultdict(float)
    plain: dict[str, float] = defaultdict(float)
    by_country: dict[str, dict[str, float]] = defaultdict(dict)
    sources: dict[str, tuple[float, str]] = {}
    for hypothesis in hypotheses:
        mass = math.exp(hypothesis.log_p - top)
        plain[hypothesis.text] += mass
        sources[hypothesis.text] = max(sources.get(hypothesis.text, (-1.0, "")), (mass, hypothesis.text))
        fits = _fits(hypothesis.text, prior) if mass > NOT_WORTH_A_GRAMMAR else {}
        folded = sum(sum(w.values()) for text, w in fits.items() if text != hypothesis.text)
        scores[hypothesis.text] += mass / (1.0 + GRAMMAR_WEIGHT * folded)
        for text, weights in fits.items():
            best = sum(weights.values()) if countries else max(weights.values())
            scores[text] += mass * GRAMMAR_WEIGHT * best
            sources[text] = max(sources.get(text, (-1.0, "")), (mass, hypothesis.text))
            shares = by_country[text]
            for country, weight in weights.items():
                shares[country] = shares.get(country, 0.0) + mass * GRAMMAR_WEIGHT * weight
    whole = math.log(sum(scores.values())) - top - math.log(total)
    ranked = sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))[:count]
    named = {text: _country_of(by_country[text], plain[text], looks, look) for text, _ in ranked}
    if countries:
        likeliest = ranked[0][0]
        named[likeliest] = named_country(named[likeliest], likeliest, _fitting(likeliest), countries)
    return tuple(
        Ranked(text, named[text], min(0.0, math.log(score) - whole), sources[text][1]) for text, score in ranked
    )


def _fitting(text: str) -> Iterator[Form]:
    """The formats that `text` fits as it stands."""
    return (form for form in _FORMS.get(_signature(text), ()) if _fit(text, form) == text)


def _country_prior(countries: Sequence[tuple[str, float]]) -> dict[str, float]:
    if not countries:
        return dict.fromkeys(GRAMMARS, 1.0)
    total = sum(p for _, p in countries) or 1.0
    prior = dict.fromkeys(GRAMMARS, COUNTRY_DOUBT / len(GRAMMARS))
    for country, p in countries:
        prior[country] = prior.get(country, 0.0) + (1 - COUNTRY_DOUBT) * p / total
    return prior


def _fits(text: str, prior: dict[str, float]) -> dict[str, dict[str, float]]:
    """For each reading of `text` by a format: the countries that have it, with probability times weight."""
    fits: dict[str, dict[str, float]] = defaultdict(dict)
    for signature in _signatures(text):
        for form in _FORMS.get(signature, ()):
            weight = prior[form.country] * form.weight
            if weight < TOO_LIGHT:
                continue
            resolved = _fit(text, form)
            if resolved is None or _signature(resolved) != signature:
                continue
            weight *= _change_weight(text, resolved, GRAMMARS[form.country])
            known = fits[resolved]
            known[form.country] = max(known.get(form.country, 0.0), weight)
    return fits


def _change_weight(text: str, resolved: str, grammar: Grammar) -> float:
    """1 where `resolved` is `text`, or says what the country's own glyphs leave open; else FOLD_WEIGHT."""
    if grammar.alike or all(
        seen == meant or (seen in LETTERS and seen not in grammar.letters)
        for seen, meant in zip(text, resolved, strict=True)
    ):
        return 1.0
    return FOLD_WEIGHT


def _country_of(shares: dict[str, float], plain: float, looks: str, look: float) -> str | None:
    """The country that the format and the look of the plate agree on, if it has a grammar here.

    `shares` is what the formats give to each country, `plain` what no format says, of which the country that
    the plate `looks` like has the share `look`.
    """
    total = sum(shares.values()) + plain
    named = dict(shares)
    named[looks] = named.get(looks, 0.0) + plain * look
    country, share = max(named.items(), key=lambda entry: (entry[1], entry[0]))
    return country if share >= COUNTRY_SURE * total and country in GRAMMARS else None


def _signature(text: str) -> str:
    return "".join("D" if c in _DIGITS else "L" for c in text)


def _signatures(text: str) -> Iterator[str]:
    """The shapes in letters and digits that `text` can have, its own first, each once."""
    options = [("DL" if c in _DIGITS else "LD") if c in SAME_GLYPH else "D" if c in _DIGITS else "L" for c in text]
    if sum(len(o) == 2 for o in options) > 6:
        yield _signature(text)
        return
    for shape in itertools.product(*options):
        yield "".join(shape)


def _fit(text: str, form: Form) -> str | None:
    out = []
    for character, allowed in zip(text, form.slots, strict=True):
        if character in allowed:
            out.append(character)
            continue
        mate = next((m for m in SAME_GLYPH.get(character, "") if m in allowed), None)
        if mate is None:
            return None
        out.append(mate)
    resolved = "".join(out)
    if form.needs_digit and not any(character in _DIGITS for character in text):
        return None
    if form.code is not None:
        start, codes = form.code
        if resolved[start : start + len(next(iter(codes)))] not in codes:
            return None
    return resolved


def _expand(country: str, grammar: Grammar, pattern: str, weight: float, series: str = "") -> Iterator[Form]:
    choices: list[list[tuple[str, int]]] = []
    for symbol, low, high in _TOKEN.findall(pattern):
        if symbol.startswith("<"):
            lengths = sorted({len(c) for c in grammar.codes[symbol[1:-1]]})
            choices.append([(symbol, n) for n in lengths])
        else:
            least = int(low) if low else 1
            most = int(high) if high else least
            choices.append([(symbol, n) for n in range(least, most + 1)])
    for choice in itertools.product(*choices):
        slots: list[frozenset[str]] = []
        separators: list[tuple[int, str]] = []
        code: tuple[int, frozenset[str]] | None = None
        for symbol, n in choice:
            if symbol in " -":
                separators.append((len(slots), symbol))
            elif symbol.startswith("<"):
                codes = frozenset(c for c in grammar.codes[symbol[1:-1]] if len(c) == n)
                code = (len(slots), codes)
                slots.extend(frozenset(c[i] for c in codes) for i in range(n))
            else:
                slots.extend([_allowed(symbol, grammar)] * n)
        yield Form(country, tuple(slots), tuple(separators), weight, code, series, pattern.endswith("!"))


def _allowed(symbol: str, grammar: Grammar) -> frozenset[str]:
    named = grammar.classes.get(symbol)
    if named is not None:
        return frozenset(named)
    fixed = {
        "D": _DIGITS,
        "N": _DIGITS[1:],
        "L": grammar.letters,
        "X": grammar.letters + _DIGITS,
        "Y": LETTERS,
        "Z": LETTERS + _DIGITS,
    }
    return frozenset(fixed.get(symbol, symbol.upper()))


def _shapes(form: Form) -> Iterator[str]:
    kinds = []
    for allowed in form.slots:
        digits = any(c in _DIGITS for c in allowed)
        letters = any(c not in _DIGITS for c in allowed)
        kinds.append(("D" if digits else "") + ("L" if letters else ""))
    for shape in itertools.product(*kinds):
        yield "".join(shape)


def _index() -> dict[str, tuple[Form, ...]]:
    index: dict[str, list[Form]] = defaultdict(list)
    for country, grammar in GRAMMARS.items():
        ordinary = ((pattern, weight, "") for pattern, weight in grammar.formats)
        special = ((pattern, SPECIAL_WEIGHT, series) for series, pattern in SPECIAL.get(country, ()))
        for pattern, weight, series in (*ordinary, *special):
            for form in _expand(country, grammar, pattern, weight, series):
                if len(form.slots) > 9:
                    continue
                for shape in _shapes(form):
                    index[shape].append(form)
    return {shape: tuple(forms) for shape, forms in index.items()}


_FORMS = _index()
_EVERY = tuple(dict.fromkeys(form for forms in _FORMS.values() for form in forms))
