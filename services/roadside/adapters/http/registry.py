"""A registry behind somebody's HTTP interface: asked again after growing pauses, and not at all while it is down."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roadside.adapters.http.deadline import within
from roadside.adapters.http.exchange import exchange
from roadside.core.countries import country_code
from roadside.core.lettering import spellings
from roadside.core.vignettes import Exemption, RegistryAnswer, Vignette
from roadside.errors import RegistryUnavailableError, SettingsError
from roadside.kit.config import HttpAddress  # noqa: TC001 - pydantic needs it at run time
from roadside.kit.toml_file import read_toml
from roadside.registry.validity import NEVER_NS, end_ns, is_endless, start_ns, zone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from roadside.core.moments import PassageTime
    from roadside.core.vignettes import CandidateQuery
    from roadside.ports.system import Clock

_MOST_BYTES = 4 * 1024 * 1024
_MOST_ENTRIES = 1000
_LONGEST_LABEL = 200
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


class HttpOptions(BaseModel):
    """How to ask, and where in the answer the vignettes are; docs/verdict.md shows an example."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: HttpAddress
    """Asked once a plate where it holds {plate}; otherwise once for all of them, as a POST."""
    headers: dict[str, str] = Field(default_factory=dict)
    """${NAME} in a value is taken from the environment."""
    body: dict[str, Any] = Field(default_factory=dict)
    """What a POST sends beside the plates."""
    plates_field: str = "plates"
    """Where a POST puts the list of plates."""
    entries: str = "vignettes"
    """Dotted path to the list of vignettes in the answer; empty where the answer is the list."""
    plate: str = "plate"
    """Dotted path within a vignette, as all that follow; for {plate} it may be missing."""
    country: str = "country"
    category: str = "category"
    valid_from: str = "valid_from"
    valid_to: str = "valid_to"
    exempt: str = "exempt"
    """Where an entry holds this, it is an exemption and this is its reason."""
    timezone: str = "Europe/Prague"
    keys: int = Field(16, ge=1, le=4096)
    """Most plates asked about for one vehicle."""
    timeout_s: float = Field(2.0, gt=0, le=60)
    """Of one question, from connecting to the last byte of the answer."""
    vehicle_s: float = Field(20.0, gt=0)
    """No further reading of a vehicle is asked about after this time; answers are remembered for the next try."""
    retries: int = Field(2, ge=0, le=10)
    backoff_s: float = Field(0.2, ge=0, le=60)
    """Before the first retry, doubled each time; a random half of it is taken off."""
    open_after: int = Field(5, ge=1)
    """Questions in a row that failed before it is left alone..."""
    open_s: float = Field(30.0, ge=0)
    """... for so long."""
    cache_s: float = Field(300.0, ge=0)
    cache_size: int = Field(50_000, ge=0)
    grace_s: float = Field(0.0, ge=0)


def load_http_options(path: Path) -> HttpOptions:
    """The options in a TOML file. Raises SettingsError."""
    try:
        return HttpOptions.model_validate(read_toml(path))
    except ValidationError as error:
        fault = error.errors()[0]
        raise SettingsError(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from error


class HttpRegistry:
    """Meets `roadside.ports.registry.Registry`. Safe to share between threads."""

    def __init__(
        self,
        options: HttpOptions,
        clock: Clock,
        rng: random.Random | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._options = options
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._sleep = sleep
        self._zone = zone(options.timezone)
        self._headers = {name: _expand(value) for name, value in options.headers.items()}
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until_ns = 0
        self._cache: OrderedDict[str, tuple[int, list[Any]]] = OrderedDict()

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """What the registry says of the best readings; the rest of the query it cannot be asked.

        Raises RegistryUnavailableError.
        """
        keys = query.keys[: self._options.keys]
        held = self._lookup(keys)
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
                elif key in keys[:3]:
                    lapsed.append(entry)
        return RegistryAnswer(tuple(vignettes), tuple(exemptions), tuple(lapsed), asked=keys, version=self._version())

    def _version(self) -> str:
        """For the evidence: without the address's path or parameters, which may be secret."""
        return f"over HTTP at {urlsplit(self._options.url).hostname or 'an unknown host'}"

    def _lookup(self, keys: Sequence[str]) -> Mapping[str, list[Vignette | Exemption]]:
        now_ns = self._clock.now_ns()
        with self._lock:
            held = {key: self._cache[key][1] for key in keys if key in self._cache and self._cache[key][0] > now_ns}
        missing = [key for key in keys if key not in held]
        until_ns = now_ns + int(self._options.cache_s * 1e9)
        if "{plate}" not in self._options.url:
            found = self._ask(missing) if missing else {}
            self._remember(found, until_ns)
            return {**held, **found}
        deadline = time.monotonic() + self._options.vehicle_s
        for key in missing:
            if time.monotonic() > deadline:
                raise RegistryUnavailableError("the registry is too slow for all readings of a vehicle")
            found = self._ask([key])
            self._remember(found, until_ns)
            held.update(found)
        return held

    def _remember(self, found: Mapping[str, list[Vignette | Exemption]], until_ns: int) -> None:
        with self._lock:
            for key, entries in found.items():
                self._cache[key] = (until_ns, entries)
                self._cache.move_to_end(key)
            while len(self._cache) > self._options.cache_size:
                self._cache.popitem(last=False)

    def _ask(self, keys: Sequence[str]) -> dict[str, list[Vignette | Exemption]]:
        """One question, with retries, unless the registry is being left alone."""
        with self._lock:
            if self._clock.now_ns() < self._open_until_ns:
                raise RegistryUnavailableError("the registry failed repeatedly and is left alone for a while")
        fault = ""
        for attempt in range(self._options.retries + 1):
            if attempt:
                pause_s = self._options.backoff_s * 2 ** (attempt - 1)
                self._sleep(pause_s * (1 - self._rng.random() / 2))
            try:
                found = _entries(self._request(keys), keys, self._options, self._zone)
            except _PermanentError as error:
                fault = str(error)
                break
            except (OSError, http.client.HTTPException, ValueError, OverflowError) as error:
                fault = str(error) or type(error).__name__
                continue
            except RecursionError:
                fault = "the answer has too many brackets"
                continue
            with self._lock:
                self._failures = 0
            return found
        with self._lock:
            self._failures += 1
            if self._failures >= self._options.open_after:
                self._open_until_ns = self._clock.now_ns() + int(self._options.open_s * 1e9)
        raise RegistryUnavailableError(f"the registry does not answer: {fault}")

    def _request(self, keys: Sequence[str]) -> object:
        """The decoded answer. Raises OSError, HTTPException and ValueError for what another try may mend."""
        options = self._options
        single = "{plate}" in options.url
        address = urlsplit(options.url.replace("{plate}", quote(keys[0], safe="")) if single else options.url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        deadline = time.monotonic() + options.timeout_s
        connection = kind(address.hostname or "", address.port, timeout=options.timeout_s)
        with within(connection, options.timeout_s):
            target = f"{address.path or '/'}{'?' + address.query if address.query else ''}"
            if single:
                response = exchange(connection, "GET", target, headers=self._headers)
            else:
                body = json.dumps({**options.body, options.plates_field: list(keys)}).encode()
                headers = {"Content-Type": "application/json", **self._headers}
                response = exchange(connection, "POST", target, body=body, headers=headers)
            data = _read(response, deadline)
        if response.status == http.HTTPStatus.NOT_FOUND and single:
            return None  # of a plate that is asked for by its address, "not found" says that nobody paid
        if response.status in _RETRIED:
            raise OSError(f"HTTP {response.status}")
        if response.status != http.HTTPStatus.OK:
            raise _PermanentError(f"HTTP {response.status}")
        answer: object = json.loads(data)
        return answer


class _PermanentError(Exception):
    """An answer that asking again will not mend."""


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body, unless it drips or is endless: a socket's own timeout only bounds each piece."""
    pieces: list[bytes] = []
    total = 0
    while piece := response.read1(65536):
        total += len(piece)
        pieces.append(piece)
        if total > _MOST_BYTES:
            raise _PermanentError("the answer is too long")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer takes too long")
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(pieces)


def _entries(
    answer: object, keys: Sequence[str], options: HttpOptions, where: tzinfo
) -> dict[str, list[Vignette | Exemption]]:
    """What the answer holds of each of `keys`. Raises ValueError where a part of it cannot be understood."""
    found: dict[str, list[Vignette | Exemption]] = {key: [] for key in keys}
    if answer is None:
        return found
    entries = _at(answer, options.entries) if options.entries else answer
    if not isinstance(entries, list):
        raise ValueError(f"the answer holds no list at {options.entries!r}")  # noqa: TRY004 - their answer is wrong
    if len(entries) > _MOST_ENTRIES + len(keys):
        raise ValueError(f"the answer holds {len(entries)} entries")
    for entry in entries:
        if not isinstance(entry, dict):
            raise ValueError("the answer holds an entry that is no object")  # noqa: TRY004 - as above
        country = _country(_text(entry, options.country))
        plate = _text(entry, options.plate)
        key = _plate(plate, country, keys) if plate else keys[0] if len(keys) == 1 else ""
        if key not in found:
            continue
        begins, ends = _text(entry, options.valid_from), _text(entry, options.valid_to)
        start = start_ns(begins, where) if begins else 0
        end = NEVER_NS if is_endless(ends) else end_ns(ends, where)
        reason = _at(entry, options.exempt)
        if reason:
            found[key].append(Exemption(key, country or "*", _label(str(reason)), start, end))
        else:
            found[key].append(Vignette(key, country, _label(_text(entry, options.category)), start, end))
    return found


def _plate(text: str, country: str, keys: Sequence[str]) -> str:
    """The one of `keys` that `text` means, else the plate that it is. Raises ValueError where it is none."""
    spelt = spellings(text, country or None)
    return next((key for key in spelt if key in keys), spelt[0])


def _text(entry: object, path: str) -> str:
    """The text or number at `path`; empty where there is none. Raises ValueError where it is something else."""
    value = _at(entry, path)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"the answer holds no text at {path!r}")  # noqa: TRY004 - their answer is wrong
    return str(value).strip()


def _country(text: str) -> str:
    """The project's code; a country that is none says nothing, and costs nobody a vignette."""
    try:
        return country_code(text)
    except ValueError:
        return ""


def _label(text: str) -> str:
    """A text that every database and every JSON can hold."""
    return "".join(c for c in text if c.isprintable())[:_LONGEST_LABEL]


def _at(value: object, path: str) -> object:
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _expand(value: str) -> str:
    def named(match: re.Match[str]) -> str:
        try:
            return os.environ[match[1]]
        except KeyError:
            raise SettingsError(f"the registry's headers need the variable {match[1]}") from None

    return re.sub(r"\$\{(\w+)\}", named, value)
