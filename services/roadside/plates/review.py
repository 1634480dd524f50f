"""The queue of sightings that need a person, and what follows from an answer: it is stored, and judged anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from roadside.core.countries import country_code
from roadside.core.lettering import plate_text
from roadside.core.plates import fold, normalise, resolve
from roadside.core.reads import Hypothesis
from roadside.core.reviews import Correction, ReviewAction
from roadside.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.moments import PassageTime
    from roadside.core.reads import FusedPlate
    from roadside.core.sightings import Sighting, Verdict
    from roadside.ports.store import ReviewQueue, VerdictStore
    from roadside.ports.system import Clock


class Settle(Protocol):
    """A function that gives the verdict on the plate that a person read, at the time of its passage.

    `text` is that plate. `stated` says whether `country` comes from the person, or was only derived from the text.
    """

    def __call__(self, text: str, country: str | None, passage: PassageTime, *, stated: bool) -> Verdict:
        """See `roadside.registry.judge.Judge.settle`."""
        ...


class KeepForTraining(Protocol):
    """A function that keeps the crop of a plate that a person read, before the verdict may delete it."""

    def __call__(self, sighting: Sighting, text: str, country: str, author: str) -> None:
        """Raises InputError where it cannot be kept: the answer is not taken then."""
        ...


class Reviewing:
    """Gives out sightings that wait for a person, and applies the answers."""

    def __init__(  # noqa: PLR0913 - each is one thing that it needs
        self,
        store: VerdictStore,
        queue: ReviewQueue,
        settle: Settle,
        clock: Clock,
        *,
        two: bool = False,
        keep: KeepForTraining | None = None,
    ) -> None:
        """With `two` an answer counts once a second person has given the same one, without having seen the first."""
        self._store = store
        self._queue = queue
        self._settle = settle
        self._clock = clock
        self._needed = 2 if two else 1
        self._keep = keep

    def next(self, skip: Sequence[str] = (), author: str = "") -> tuple[Sighting | None, int]:
        """The sighting that has waited longest, without those whose ids are in `skip`, and how many wait in all.

        None in its place if no other one waits. `author` is not given what they have answered.
        """
        waiting = self._queue.next(skip, author, self._needed)
        count = self._queue.waiting(author, self._needed)
        return (self._store.get(waiting) if waiting is not None else None), count

    def answer(
        self, sighting_id: str, action: ReviewAction, author: str, *, text: str = "", country: str = ""
    ) -> Sighting:
        """Stores what `author` says about a sighting and judges it anew; the sighting as it is afterwards.

        `text` and `country` are the plate as the author reads it; only CORRECT takes them. An UNREADABLE one keeps its
        verdict. Where two must agree, the first answer changes nothing, nor do two that differ: it stays REVIEW.
        Raises NotFoundError for an unknown id, InputError if the sighting's plate is not kept
        (PAID and EXEMPT), `text` holds no letter or digit, or `author` answered already and another must.
        """
        sighting = self._store.get(sighting_id)
        plate = sighting.plate
        if plate is None:
            raise InputError(f"sighting {sighting_id} is {sighting.verdict.kind.value}: its plate is not kept")
        match action:
            case ReviewAction.CONFIRM:
                said, of = plate.text, plate.country
            case ReviewAction.CORRECT:
                said, of = _as_typed(text, country)
                if not said:
                    raise InputError(f"{text!r} is no plate")
            case ReviewAction.UNREADABLE:
                said, of = "", None
        known = as_read_by_person(plate, said, of)
        before = self._before(sighting_id, author)
        if said and self._keep is not None:
            self._keep(sighting, said, known.country or "", author)
        now_ns = self._clock.now_ns()
        kept_country = (known.country or "") if said else ""
        correction = Correction(sighting_id, now_ns, author, action, said, kept_country, plate.text)
        self._queue.record(correction, self._needed)
        if not said or not self._agreed(before, said):
            return sighting
        stated = action is ReviewAction.CORRECT and of is not None
        verdict = self._settle(said, known.country, sighting.passage, stated=stated)
        return self._store.decide(sighting_id, verdict, author, known)

    def _before(self, sighting_id: str, author: str) -> Sequence[Correction]:
        """Earlier answers, where two are needed. Raises InputError where one of them is this author's."""
        if self._needed == 1:
            return ()
        before = self._queue.answers_of(sighting_id)
        if any(said.author == author for said in before):
            raise InputError("you answered already: another person must read this plate")
        return before

    def _agreed(self, before: Sequence[Correction], said: str) -> bool:
        """Whether an answer counts: alone, with the one before it, or as the third and later, who settle a quarrel."""
        if self._needed == 1:
            return True
        return any(fold(earlier.text) == fold(said) for earlier in before)


def as_read_by_person(plate: FusedPlate, text: str, country: str | None) -> FusedPlate:
    """`plate` with the text that a person read on the picture, held for certain; its raw text and posterior stay."""
    known = next((form.country for _, form in resolve(normalise(text), country)), country)
    chosen = Hypothesis(normalise(text), known, 0.0)
    others = tuple(h for h in plate.alternatives if fold(h.text) != fold(text))
    return replace(plate, text=chosen.text, country=known, confidence=1.0, alternatives=(chosen, *others))


def _as_typed(text: str, country: str) -> tuple[str, str | None]:
    """The plate and the country that a person typed. Raises InputError."""
    try:
        code = country_code(country)
        return plate_text(text, code), code or None
    except ValueError as error:
        raise InputError(str(error)) from error
