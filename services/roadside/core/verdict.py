"""From a fused plate and the registry's answer to a verdict that explains itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.candidates import candidate_query, score, soften
from roadside.core.confusions import codes
from roadside.core.plates import fold, may_be_of
from roadside.core.rules import Rule
from roadside.core.sightings import Reading, Verdict, VerdictKind
from roadside.core.single_keys import unasked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from roadside.core.candidates import Belief
    from roadside.core.confusions import Confusions
    from roadside.core.reads import FusedPlate
    from roadside.core.vignettes import CandidateQuery, Exemption, RegistryAnswer

MOST_READINGS = 8
ANY_COUNTRY = "*"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a verdict must be sure of. Every number is explained in docs/verdict.md."""

    bound: float = 2e-4
    """UNPAID is said only where paid and exempt readings together are less probable than this."""
    misread_bound: float = 1e-3
    """The same of registered plates that are no reading of it, by the counts of joint errors."""
    paid_at: float = 0.9
    """PAID or EXEMPT is said where such readings together are at least this probable."""
    identified_at: float = 0.9
    """UNPAID is said only where one plate alone is at least this probable."""
    least_looks: int = 2
    """UNPAID is said only where so many independent looks agree."""
    paid_weight: float = 100.0
    """How much more often a plate of the registry drives past than one that is not in it."""
    floor: float = 0.1
    """Share of the reader's belief that is replaced by its known confusions."""
    persistence: float = 0.5
    """Chance that all frames of a passage make the same error."""
    other_country: float = 0.2
    """Probability that a plate is of another country than the reader says."""
    density: float = 0.01
    """Share of the strings near a plate that hold a vignette: what is believed of those that were not looked up."""
    least_probability: float = 1e-6
    """Readings less probable than this are not searched for."""
    keys: int = 64
    """Most probable readings that are always looked up."""
    accuse_special: bool = False
    """Whether plates of diplomats, armies, the police, trailers, the trade... can be UNPAID as others can."""
    pairs: int = 2000
    """Most plates that are spelt out for the search, because neither half of them is likely."""


@dataclass(frozen=True, slots=True)
class Question:
    """A fused plate with everything that it may be."""

    plate: FusedPlate
    belief: Belief
    query: CandidateQuery


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What matters for a verdict beside the plate and the registry."""

    grammatical: bool = True
    """Whether the best reading is an ordinary plate of a current format of the country that it is read as."""
    series: str | None = None
    """The special series that the best reading belongs to, if such plates must not be accused: diplomatic, army..."""
    grace_open: bool = False
    """Whether a vignette bought from now on could still count for this passage."""


def ask(plate: FusedPlate, confusions: Confusions, policy: Policy) -> Question:
    """What to ask the registry about `plate`."""
    belief = soften(plate, confusions, floor=policy.floor, persistence=policy.persistence)
    within = candidate_query(belief, best=policy.keys, bound=policy.least_probability, most_keys=policy.pairs)
    return Question(plate, belief, within)


def decide(question: Question, answer: RegistryAnswer, policy: Policy, circumstances: Circumstances) -> Verdict:
    """The verdict on the plate of `question`.

    Another paid vignette in `answer` can raise `p_paid` alone, and can therefore never lead to UNPAID.
    """
    plate, belief, within = question.plate, question.belief, question.query
    paid = _by_key(plate, ((v.plate, v.country) for v in answer.vignettes))
    single = ((fold(e.pattern), e.country) for e in answer.exemptions if not is_pattern(e.pattern))
    exempt = _by_key(plate, single)
    keys = list(dict.fromkeys((*within.keys, *paid, *exempt)))
    p_of: dict[str, float] = dict(zip(keys, score(belief, keys).tolist(), strict=True))
    left_out = within.left_out if answer.asked is None else unasked(belief, answer.asked)
    offered = dict(belief.offered)  # what the reader itself gave a plate can only help the driver

    def share(entries: Mapping[str, str], *, any_country: bool = False) -> float:
        shares = (
            max(p_of[k], offered.get(k, 0.0)) * (1.0 if any_country else _country(plate, c, policy))
            for k, c in entries.items()
        )
        return float(sum(shares))

    left_over = left_out * policy.density
    families = [(e, family_probability(belief, e, within.keys)) for e in answer.exemptions if is_pattern(e.pattern)]
    family = min(1.0, sum(p * _country(plate, e.country, policy) for e, p in families))
    whole_country = min(1.0, sum(p for e, p in families if not named_characters(e.pattern)))
    named = sum(p for e, p in families if named_characters(e.pattern))
    share_paid, share_exempt = left_over + share(paid), share(exempt)
    # A country read wrong must not take the protection away: against an accusation every country counts in full.
    near = left_over + share(paid, any_country=True) + share(exempt, any_country=True) + named
    # Plates of a whole country drive past no more often than others do: such a share of the belief is not weighed.
    weights = _Weights(
        max(whole_country, _weigh(near, policy)),
        max(family, _weigh(share_paid + share_exempt, policy)),
        _weigh(share_paid, policy),
        max(family, _weigh(share_exempt, policy)),
        max(p_of.values(), default=0.0),
    )
    kind, rule = _rule(weights, plate.looks, policy, circumstances)
    ranked = sorted(p_of, key=lambda key: -p_of[key])
    shown = [*ranked[:MOST_READINGS], *(k for k in ranked[MOST_READINGS:] if k in paid or k in exempt)]
    shown = shown[: 2 * MOST_READINGS]
    return Verdict(
        kind,
        rule,
        weights.paid,
        weights.exempt,
        tuple(Reading(key, p_of[key], key in paid, key in exempt) for key in shown),
        tuple(v for v in answer.vignettes if v.plate in shown),
        tuple(e for e in answer.exemptions if is_pattern(e.pattern) or fold(e.pattern) in shown),
        answer.lapsed,
    )


def unanswered(rule: str, p_paid: float = 0.0) -> Verdict:
    """UNKNOWN: the registry could not be asked, and will be asked again."""
    return Verdict(VerdictKind.UNKNOWN, rule, p_paid, 0.0)


def no_verdict() -> Verdict:
    """NONE: nobody wants to know, for there is no list."""
    return Verdict(VerdictKind.NONE, Rule.NO_LIST, 0.0, 0.0)


def is_pattern(pattern: str) -> bool:
    """Whether an exemption is for a family of plates and not for one."""
    return "?" in pattern or pattern.endswith("*")


def named_characters(pattern: str) -> int:
    """How many characters an exemption's pattern names; none of "*" and of "???????"."""
    return len(pattern.replace("?", "").removesuffix("*"))


def fold_pattern(pattern: str) -> str:
    """`pattern` folded, its `?` and its closing `*` kept."""
    body = "".join(c if c == "?" else fold(c) for c in pattern)
    return body + "*" if pattern.endswith("*") else body


def family_probability(belief: Belief, exemption: Exemption, readings: Sequence[str]) -> float:
    """Probability that the plate is of the family of `exemption`: fits its pattern, and may be a plate of its country.

    `readings` are the likely ones (folded). A pattern that names no character, as "*" for a whole country, fits any
    text: then only the readings count that a format of the country allows.
    """
    fits = pattern_probability(belief, fold_pattern(exemption.pattern))
    if not fits or exemption.country == ANY_COUNTRY or named_characters(exemption.pattern):
        return fits
    p_of = score(belief, readings)
    mine = [may_be_of(key, exemption.country) for key in readings]
    return float(p_of[mine].sum())


def pattern_probability(belief: Belief, pattern: str) -> float:
    """Probability that the plate is of the family `pattern` (folded), slot by slot."""
    open_ended = pattern.endswith("*")
    body = pattern.removesuffix("*")
    if len(body) > len(belief.rows) or (not open_ended and len(body) != len(belief.rows)):
        return 0.0
    fixed = [(slot, c) for slot, c in enumerate(body) if c != "?"]
    return float(np.prod([belief.rows[slot, codes(c)[0]] for slot, c in fixed]))


@dataclass(frozen=True, slots=True)
class _Weights:
    near: float
    """Of all that may be free, whatever its country."""
    free: float
    paid: float
    exempt: float
    best: float


def _rule(  # noqa: PLR0911 - one return a rule, in the order of the list in docs/verdict.md
    p: _Weights, looks: int, policy: Policy, circumstances: Circumstances
) -> tuple[VerdictKind, str]:
    if p.free >= policy.paid_at:
        return (VerdictKind.PAID, Rule.PAID) if p.paid >= p.exempt else (VerdictKind.EXEMPT, Rule.EXEMPT)
    if p.near >= policy.bound:
        return VerdictKind.REVIEW, Rule.PAID_READING_POSSIBLE
    if circumstances.series is not None:
        return VerdictKind.REVIEW, f"{Rule.SPECIAL_SERIES}-{circumstances.series}"
    if not circumstances.grammatical:
        return VerdictKind.REVIEW, Rule.NO_KNOWN_PLATE
    if p.best < policy.identified_at:
        return VerdictKind.REVIEW, Rule.READING_UNSURE
    if looks < policy.least_looks:
        return VerdictKind.REVIEW, Rule.ONE_LOOK
    if circumstances.grace_open:
        return VerdictKind.UNKNOWN, Rule.GRACE_OPEN
    return VerdictKind.UNPAID, Rule.NO_PAID_READING


def _weigh(share: float, policy: Policy) -> float:
    """Bayes: `share` of the reader's belief is on plates that pass `paid_weight` times more often."""
    share = min(1.0, max(0.0, share))
    return policy.paid_weight * share / (policy.paid_weight * share + 1.0 - share)


def _by_key(plate: FusedPlate, entries: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Plates of the registry, each with the country of its entries that fits best."""
    found: dict[str, str] = {}
    for key, country in entries:
        if key not in found or _fits(plate, country):
            found[key] = country
    return found


def _fits(plate: FusedPlate, country: str) -> bool:
    return plate.country is None or country in ("", ANY_COUNTRY, plate.country)


def _country(plate: FusedPlate, country: str, policy: Policy) -> float:
    """Upper estimate of the probability that `plate` is of `country`."""
    if _fits(plate, country):
        return 1.0
    return max(policy.other_country, dict(plate.countries).get(country, 0.0))
