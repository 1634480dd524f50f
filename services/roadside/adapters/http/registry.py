"""A registry behind somebody's HTTP interface, which can be asked for single plates only."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from roadside.adapters.http.asking import Office
from roadside.core.single_keys import single_keys
from roadside.core.vignettes import NEVER_NS, Exemption, RegistryAnswer
from roadside.errors import RegistryUnavailableError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from roadside.adapters.http.options import HttpOptions
    from roadside.core.moments import PassageTime
    from roadside.core.vignettes import CandidateQuery, Vignette
    from roadside.ports.system import Clock

FIRST = 16
"""Of the best readings: where one of them has paid, no other needs to be asked about."""


class HttpRegistry:
    """Meets `roadside.ports.registry.Registry`. Safe to share between threads."""

    def __init__(
        self,
        options: HttpOptions,
        clock: Clock,
        rng: random.Random | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raises SettingsError for a header that names a variable which is not set."""
        self._options = options
        self._clock = clock
        self._office = Office(options, clock, rng, sleep)
        self._lock = threading.Lock()
        self._cache: OrderedDict[str, tuple[int, list[Vignette | Exemption]]] = OrderedDict()

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """What the registry says of the plates that matter, and which it was asked about: the rest it cannot be asked.

        Raises RegistryUnavailableError.
        """
        wanted = single_keys(query)[: self._options.most_keys]
        first, rest = (wanted, ()) if query.near else (wanted[:FIRST], wanted[FIRST:])
        deadline = time.monotonic() + self._options.vehicle_s
        answer = self._answer(first, query, passage, deadline)
        if not rest or answer.vignettes or answer.exemptions:
            return answer
        return self._answer(wanted, query, passage, deadline)

    def _answer(
        self, keys: tuple[str, ...], query: CandidateQuery, passage: PassageTime, deadline: float
    ) -> RegistryAnswer:
        held = self._lookup(keys, deadline)
        vignettes, lapsed, exemptions = [], [], []
        grace_ns = int(self._options.grace_s * 1e9)
        # What is without end covers every passage.
        first_ns, last_ns = min(passage.first_ns, NEVER_NS - 1), min(passage.last_ns, NEVER_NS - 1)
        for key in keys:
            for entry in held[key]:
                if isinstance(entry, Exemption):
                    if entry.valid_from_ns <= last_ns and first_ns < entry.valid_to_ns:
                        exemptions.append(entry)
                elif entry.valid_from_ns <= last_ns + grace_ns and first_ns < entry.valid_to_ns:
                    vignettes.append(entry)
                elif key in query.keys[:3]:
                    lapsed.append(entry)
        return RegistryAnswer(tuple(vignettes), tuple(exemptions), tuple(lapsed), asked=keys, version=self._version())

    def _version(self) -> str:
        """For the evidence: without the address's path or parameters, which may be secret."""
        return f"over HTTP at {urlsplit(self._options.url).hostname or 'an unknown host'}"

    def _lookup(self, keys: Sequence[str], deadline: float) -> Mapping[str, list[Vignette | Exemption]]:
        now_ns = self._clock.now_ns()
        with self._lock:
            held = {key: self._cache[key][1] for key in keys if key in self._cache and self._cache[key][0] > now_ns}
        until_ns = now_ns + int(self._options.cache_s * 1e9)
        for together in self._batches([key for key in keys if key not in held]):
            if time.monotonic() > deadline:
                raise RegistryUnavailableError("the registry is too slow for all readings of a vehicle")
            found = self._office.ask(together)
            self._remember(found, until_ns)
            held.update(found)
        return held

    def _batches(self, keys: Sequence[str]) -> Iterator[Sequence[str]]:
        size = 1 if self._options.single else self._options.batch
        for start in range(0, len(keys), size):
            yield keys[start : start + size]

    def _remember(self, found: Mapping[str, list[Vignette | Exemption]], until_ns: int) -> None:
        with self._lock:
            for key, entries in found.items():
                self._cache[key] = (until_ns, entries)
                self._cache.move_to_end(key)
            while len(self._cache) > self._options.cache_size:
                self._cache.popitem(last=False)
