"""The words of verdicts, rules, roles and answers, and how templates put them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from roadside.core.plates import format_plate
from roadside.core.rules import pattern_of
from roadside.core.sightings import PictureKind
from roadside.core.vignettes import NEVER_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from roadside.console.languages import Wording
    from roadside.core.reads import FusedPlate
    from roadside.core.sightings import Evidence


def _(text: str) -> str:
    """Marks a text for the catalogues."""
    return text


VERDICTS: Mapping[str, str] = {
    "PAID": _("PAID"),
    "EXEMPT": _("EXEMPT"),
    "UNPAID": _("UNPAID"),
    "REVIEW": _("REVIEW"),
    "UNKNOWN": _("UNKNOWN"),
    "NONE": _("no verdict"),
}
ROLES: Mapping[str, str] = {
    "viewer": _("viewer"),
    "checker": _("checker"),
    "reviewer": _("reviewer"),
    "admin": _("administrator"),
}
WITNESSES: Mapping[str, str] = {
    "confirmed": _("confirmed by a second reader"),
    "disagreed": _("a second reader disagrees"),
    "none": _("not confirmed by a second reader"),
}
ACTIONS: Mapping[str, str] = {
    "looked": _("looked"),
    "searched": _("searched"),
    "checked": _("asked the registry"),
    "answered": _("answered"),
    "exported": _("exported"),
    "imported": _("took a list in"),
    "signed in": _("signed in"),
    "set a password": _("set a password"),
    "invited": _("invited"),
    "disabled": _("closed an account"),
    "made a token": _("made a token"),
    "ended a token": _("ended a token"),
    "changed a list": _("changed a list"),
    "set a camera": _("set what a camera looks at"),
    "forgot": _("forgot a plate"),
    "purged": _("deleted what was old"),
    "rotated keys": _("changed the keys"),
}
FLIPS: Mapping[str, str] = {
    "none": _("not mirrored"),
    "horizontal": _("left and right change places"),
    "vertical": _("top and bottom change places"),
}
SEPARATORS: Mapping[str, str] = {
    "comma": _("comma"),
    "semicolon": _("semicolon"),
    "tab": _("tab"),
    "bar": _("bar"),
}
COLUMNS: Mapping[str, str] = {
    "plate": _("Plate"),
    "country": _("Country"),
    "category": _("Category"),
    "valid_from": _("Valid from"),
    "valid_to": _("Valid to"),
    "pattern": _("Pattern"),
    "reason": _("Reason"),
    "name": _("Whose"),
    "group": _("Group"),
}
LISTS: Mapping[str, str] = {
    "open": _("opens a gate"),
    "alert": _("alerts"),
    "ignore": _("only names"),
}
SEALS: Mapping[str, str] = {
    "stored": _("stored"),
    "decided": _("judged anew"),
    "answered": _("answered"),
    "struck": _("another plate was taken out of it"),
}
WAYS: Mapping[str, str] = {"in": _("in"), "out": _("out")}
ANSWERS: Mapping[str, str] = {
    "confirm": _("the plate was read rightly"),
    "correct": _("the plate is"),
    "unreadable": _("nobody can read the plate"),
}


def rule_word(words: Wording, rule: str) -> str:
    """A rule in a few words; its name where it has none yet."""
    pattern, detail = pattern_of(rule)
    return words.say(pattern.brief).format(detail=detail)


def rule_sentence(words: Wording, rule: str) -> str:
    """A rule as sentences."""
    pattern, detail = pattern_of(rule)
    return words.say(pattern.sentence).format(detail=detail)


def written(plate: FusedPlate) -> str:
    """A plate with the spaces and hyphens of its country."""
    return format_plate(plate.text, plate.country)


def has_crop(evidence: Iterable[Evidence]) -> bool:
    """Whether the picture of the plate is kept."""
    return any(picture.kind is PictureKind.CROP for picture in evidence)


def has_strip(evidence: Iterable[Evidence]) -> bool:
    """Whether the reads of the passage are kept as a film strip."""
    return any(picture.kind is PictureKind.STRIP for picture in evidence)


def begins(at_ns: int, words: Wording) -> str:
    """The beginning of a validity."""
    return words.say(_("since ever")) if at_ns <= 0 else words.moment(at_ns)


def ends(at_ns: int, words: Wording) -> str:
    """The end of a validity."""
    return words.say(_("without end")) if at_ns >= NEVER_NS else words.moment(at_ns)


def filters(words: Wording) -> dict[str, Callable[..., str | bool]]:
    """What templates of a language can put after a `|`."""
    return {
        "written": written,
        "has_crop": has_crop,
        "host": lambda address: urlsplit(address).hostname or address,
        "has_strip": has_strip,
        "list_word": lambda action: words.say(LISTS[str(action)]),
        "seal_word": lambda event: words.say(SEALS.get(str(event), str(event))),
        "begins": begins,
        "ends": ends,
        "verdict_word": lambda kind: words.say(VERDICTS[str(kind)]),
        "witness_word": lambda answer: words.say(WITNESSES[str(answer)]),
        "action_word": lambda action: words.say(ACTIONS.get(str(action), str(action))),
        "role_word": lambda role: words.say(ROLES[str(role)]),
        "separator_word": lambda name: words.say(SEPARATORS[str(name)]),
        "column_word": lambda name: words.say(COLUMNS[str(name)]),
        "flip_word": lambda flip: words.say(FLIPS[str(flip)]),
        "way_word": lambda way: words.say(WAYS[str(way)]),
        "answer_word": lambda action: words.say(ANSWERS[str(action)]),
        "rule_word": lambda rule: rule_word(words, rule),
        "rule_sentence": lambda rule: rule_sentence(words, rule),
    }
