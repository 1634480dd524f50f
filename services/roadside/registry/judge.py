"""Asks the registry about a fused plate and decides; where the registry is away, the verdict waits."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from roadside.core.joint_errors import typical
from roadside.core.lettering import spellings
from roadside.core.moments import JUMP_NS, TOLERANCE_S, TimeDoubt
from roadside.core.nearness import may_be_unread
from roadside.core.neighbours import MOST_EDITS
from roadside.core.plates import fold, is_current, may_be_of, series_of
from roadside.core.rules import Rule
from roadside.core.sightings import Reading, Verdict, VerdictKind
from roadside.core.verdict import (
    ANY_COUNTRY,
    Circumstances,
    ask,
    decide,
    fold_pattern,
    is_pattern,
    named_characters,
    no_verdict,
    unanswered,
)
from roadside.core.vignettes import CandidateQuery
from roadside.errors import NoListError, RegistryUnavailableError
from roadside.registry.basis import TracedRegistry, policy_facts
from roadside.registry.scrutiny import Likeness, scrutinised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.confusions import Confusions
    from roadside.core.moments import PassageTime
    from roadside.core.reads import FusedPlate
    from roadside.core.verdict import Policy
    from roadside.core.vignettes import Exemption, RegistryAnswer, Vignette
    from roadside.ports.registry import Registry
    from roadside.ports.system import Clock

HOME = "CZ"
"""The country whose roads these are: of its plates every current format is expected."""

NOW_NS = 86_400 * 10**9
"""Passages farther from the time at which they are judged are of recordings, or of another computer's clock."""


class Judge:
    """Gives verdicts under one policy. Safe to share between threads where the registry is."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is one thing that a verdict follows from
        self,
        registry: Registry,
        confusions: Confusions,
        policy: Policy,
        clock: Clock,
        grace_s: float = 0.0,
        tolerance_s: float = TOLERANCE_S,
        *,
        plates_alone: bool = False,
    ) -> None:
        """Clocks of cameras and of the registry may differ by `tolerance_s`; docs/verdict.md says why so much.

        With `plates_alone` a registry without any list is no fault: nothing is asked of anybody until one is there.
        """
        self._plates_alone = plates_alone
        self._registry = TracedRegistry(registry)
        self._confusions = confusions
        self._policy = policy
        self._clock = clock
        self._grace_ns = int(grace_s * 1e9)
        self._tolerance_ns = int(tolerance_s * 1e9)
        self._basis = (*policy_facts(policy, confusions, grace_s), ("policy.tolerance_s", repr(tolerance_s)))
        self._likeness = Likeness(confusions.joint or typical(), policy.paid_weight, policy.misread_bound)

    def judge(self, plate: FusedPlate, passage: PassageTime) -> Verdict:
        """The verdict on a vehicle that has paid if it had paid at any moment of `passage`, or nearly so.

        UNKNOWN where the registry cannot answer.
        """
        self._registry.forget()
        verdict = self._judged(plate, passage.widened(self._tolerance_ns))
        return self._founded(_dated(verdict, self._believed(passage)))

    def _believed(self, passage: PassageTime) -> PassageTime:
        """`passage`, doubted where it is of now and our own clock stands before the newest list was taken in."""
        now_ns, imported_ns = self._clock.now_ns(), self._registry.imported_ns()
        is_behind = imported_ns > 0 and now_ns < imported_ns - JUMP_NS
        if passage.doubt is not None or not is_behind or abs(passage.last_ns - now_ns) >= NOW_NS:
            return passage
        return replace(passage, doubt=TimeDoubt.TOO_EARLY)

    def _founded(self, verdict: Verdict) -> Verdict:
        """`verdict` with what it rests on, for the evidence."""
        return replace(verdict, basis=(*self._registry.facts(), *self._basis))

    def _judged(self, plate: FusedPlate, passage: PassageTime) -> Verdict:
        if len(plate.posterior) == 0:
            return Verdict(VerdictKind.REVIEW, Rule.NOTHING_READ, 0.0, 0.0)
        question = ask(plate, self._confusions, self._policy)
        try:
            answer = self._registry.search(question.query, passage)
        except RegistryUnavailableError as error:
            return self._unanswered(error)
        circumstances = Circumstances(
            grammatical=_is_known(plate),
            series=None if self._policy.accuse_special else _series(plate),
            grace_open=self._grace_open(passage),
        )
        decided = decide(question, answer, self._policy, circumstances)
        verdict = _unless_unknowing(decided, answer, passage, (fold(plate.text),), MOST_EDITS)
        if verdict.kind is VerdictKind.UNPAID:
            return scrutinised(verdict, plate, self._registry, passage, self._likeness)
        return verdict

    def _unanswered(self, error: RegistryUnavailableError) -> Verdict:
        if self._plates_alone and isinstance(error, NoListError):
            return no_verdict()
        return unanswered(Rule.REGISTRY_UNAVAILABLE)

    def _grace_open(self, passage: PassageTime) -> bool:
        """Whether a vignette may still be bought: never without a grace, however far a clip is ahead of the clock."""
        return self._grace_ns > 0 and self._clock.now_ns() < passage.last_ns + self._grace_ns

    def settle(self, text: str, country: str | None, passage: PassageTime, *, stated: bool) -> Verdict:
        """The verdict on a plate that a person has read: nothing is left to doubt but the registry.

        Only a country that the person has `stated` can set a vignette of another country aside: the reader's guess,
        or what the text looks like, must not accuse a driver who paid.
        """
        self._registry.forget()
        verdict = self._settled(text, country, passage.widened(self._tolerance_ns), stated=stated)
        return self._founded(_dated(verdict, self._believed(passage)))

    def _settled(self, text: str, country: str | None, passage: PassageTime, *, stated: bool) -> Verdict:
        key = fold(text)
        keys = tuple(dict.fromkeys((key, *_spelt(text, country if stated else None))))
        try:
            answer = self._registry.search(CandidateQuery(keys, (), (), 0.0), passage)
        except RegistryUnavailableError as error:
            return self._unanswered(error)
        mine = tuple(v for v in answer.vignettes if v.plate in keys and _pays(v, country if stated else None))
        free = tuple(e for e in answer.exemptions if _frees(e, keys, country, stated=stated))
        kind = VerdictKind.EXEMPT if free else VerdictKind.PAID if mine else VerdictKind.UNPAID
        if kind is VerdictKind.UNPAID and self._grace_open(passage):
            return unanswered(Rule.GRACE_OPEN)
        reading = Reading(key, 1.0, paid=bool(mine), exempt=bool(free))
        verdict = Verdict(
            kind, Rule.READ_BY_PERSON, float(bool(mine)), float(bool(free)), (reading,), mine, free, answer.lapsed
        )
        return _unless_unknowing(verdict, answer, passage, keys, 0)


def _pays(vignette: Vignette, stated: str | None) -> bool:
    """Whether it counts for a plate of the country that a person has `stated`; None for every country."""
    return stated is None or vignette.country in ("", ANY_COUNTRY, stated)


def _frees(exemption: Exemption, keys: tuple[str, ...], country: str | None, *, stated: bool) -> bool:
    """Whether it holds for a plate that may be spelt as one of `keys`.

    One plate's exemption is set aside by a country that was `stated` alone, a family's by a guess, too.
    """
    if not any(fnmatchcase(key, fold_pattern(exemption.pattern)) for key in keys):
        return False
    if exemption.country in (ANY_COUNTRY, country):
        return True
    if is_pattern(exemption.pattern) and named_characters(exemption.pattern):
        return country is None
    if is_pattern(exemption.pattern):
        return country is None and any(may_be_of(key, exemption.country) for key in keys)
    return country is None or not stated


def _series(plate: FusedPlate) -> str | None:
    """Its special series, of the country that was read or, where it is no plate of that country, of any."""
    own = series_of(plate.text, plate.country)
    if own is not None or is_current(plate.text, plate.country):
        return own
    return series_of(plate.text, None)


def _is_known(plate: FusedPlate) -> bool:
    """Whether it is a plate of the country that was read; where its pictures show it whole, of what others give out.

    Readers tell text better than countries: of 219 clean passages of held-out plates 19 were read right as a plate
    of a country that has no such format. Of HOME rarer formats count too: eleven of twelve Czech plates to order were
    taken for German or Polish ones.
    """
    if is_current(plate.text, plate.country):
        return True
    return plate.doubts == () and (is_current(plate.text, None) or is_current(plate.text, HOME))


def _spelt(text: str, country: str | None) -> tuple[str, ...]:
    """Every folded plate that a person may mean by `text`; none where it is no plate."""
    try:
        return spellings(text, country)
    except ValueError:
        return ()


def _unless_unknowing(
    verdict: Verdict, answer: RegistryAnswer, passage: PassageTime, plates: Sequence[str], edits: int
) -> Verdict:
    """`verdict`, but that nobody is said not to have paid by a list that cannot know.

    That is one that is too old or too young, or has rows that could not be read, of which one may be of a plate
    that is at most so many `edits` from one of the `plates`.
    """
    if verdict.kind is not VerdictKind.UNPAID:
        return verdict
    if answer.stale:
        return replace(verdict, kind=VerdictKind.UNKNOWN, rule=Rule.REGISTRY_STALE)
    if passage.last_ns < answer.begins_ns:
        return replace(verdict, kind=VerdictKind.UNKNOWN, rule=Rule.REGISTRY_BEGINS_LATER)
    if any(may_be_unread(plate, answer.unread, edits) for plate in plates):
        return replace(verdict, kind=VerdictKind.UNKNOWN, rule=Rule.REGISTRY_ROWS_UNREAD)
    return verdict


def _dated(verdict: Verdict, passage: PassageTime) -> Verdict:
    """`verdict` with the time that it is of; where that is not believed, nothing that depends on it is said.

    Of a recording without a time the vehicle that has paid now is let go: so its plate is not kept either.
    """
    harmless = {VerdictKind.REVIEW, VerdictKind.NONE}
    if passage.doubt is TimeDoubt.RECORDING_UNKNOWN:
        harmless |= {VerdictKind.PAID, VerdictKind.EXEMPT}
    if passage.doubt is None or verdict.kind in harmless:
        return replace(verdict, passage=passage)
    return replace(verdict, kind=VerdictKind.UNKNOWN, rule=passage.doubt.value, passage=passage)
