"""Asks an office's HTTP interface: again after growing pauses, and not at all while it is down."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import threading
import time
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote, urlsplit

from roadside.adapters.http.answers import entries_of
from roadside.adapters.http.deadline import within
from roadside.adapters.http.exchange import exchange
from roadside.errors import RegistryUnavailableError, SettingsError
from roadside.registry.validity import zone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roadside.adapters.http.options import HttpOptions
    from roadside.core.vignettes import Exemption, Vignette
    from roadside.ports.system import Clock

_MOST_BYTES = 4 * 1024 * 1024
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


class Office:
    """The other side of the interface. Safe to share between threads."""

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
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._sleep = sleep
        self._zone = zone(options.timezone)
        self._headers = {name: _expand(value) for name, value in options.headers.items()}
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until_ns = 0

    def ask(self, keys: Sequence[str]) -> dict[str, list[Vignette | Exemption]]:
        """What it holds of each of `keys`, one question with retries. Raises RegistryUnavailableError."""
        with self._lock:
            if self._clock.now_ns() < self._open_until_ns:
                raise RegistryUnavailableError("the registry failed repeatedly and is left alone for a while")
        fault = ""
        for attempt in range(self._options.retries + 1):
            if attempt:
                pause_s = self._options.backoff_s * 2 ** (attempt - 1)
                self._sleep(pause_s * (1 - self._rng.random() / 2))
            try:
                found = entries_of(self._request(keys), keys, self._options, self._zone)
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
        answer: object = json.loads(data, parse_constant=_no_number)
        if answer is None:
            raise ValueError("the answer is null, which does not say that nobody paid")
        return answer


class _PermanentError(Exception):
    """An answer that asking again will not mend."""


def _no_number(name: str) -> NoReturn:
    """JSON has no NaN: an entry that was one would pass for another plate's."""
    raise ValueError(f"the answer holds {name}, which is no JSON")


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


def _expand(value: str) -> str:
    def named(match: re.Match[str]) -> str:
        try:
            return os.environ[match[1]]
        except KeyError:
            raise SettingsError(f"the registry's headers need the variable {match[1]}") from None

    return re.sub(r"\$\{(\w+)\}", named, value)
