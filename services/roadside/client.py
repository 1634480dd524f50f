"""Typed clients of the running services: lists of sightings, a live watch, and whether a plate has paid.

Calls have deadlines, and are tried again where a service is away for a moment.

    with PlatesClient("plates.example:50055", token="...") as plates:
        for sighting in plates.sightings(SightingFilter(verdict=VerdictKind.UNPAID)):
            print(sighting.camera_id, sighting.plate)
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import grpc
import grpc.aio

from roadside.core.sightings import PictureKind, VerdictKind
from roadside.errors import RoadsideError, UnavailableError
from roadside.v1 import plates_pb2, plates_pb2_grpc, registry_pb2, registry_pb2_grpc
from roadside.wire import convert
from roadside.wire.status import error_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from roadside.core.sightings import Sighting
    from roadside.core.vignettes import Exemption, Vignette

__all__ = [
    "AsyncPlatesClient",
    "ClientOptions",
    "PlateCheck",
    "PlatesClient",
    "RegistryClient",
    "SightingFilter",
]

MAX_MESSAGE_BYTES = 20 * 1024 * 1024
"""The largest answer that is taken."""
_RETRIES = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "maxBackoff": "3s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
"""The retries of gRPC itself, for every method; calling one of them twice does no harm."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How a client reaches its service."""

    token: str | None = None
    """The API token, if the service asks for one; it is sent with every call."""
    deadline_s: float = 10.0
    """After how many seconds a call is given up; a live watch has no deadline."""
    ca_file: Path | None = None
    """The authority (PEM) that signed the server's certificate; if it is given, the connection uses TLS."""
    certificate_file: Path | None = None
    """The client's own certificate (PEM), if the server asks for one."""
    key_file: Path | None = None
    """The private key (PEM) of `certificate_file`."""
    watch_retry_s: float = 60.0
    """For how many seconds a live watch tries to connect again before it raises UnavailableError."""


@dataclass(frozen=True, slots=True)
class SightingFilter:
    """Which sightings are wanted: those that meet every field that is not None."""

    since_ns: int | None = None
    """Last seen at or after this time: UTC, in nanoseconds since 1970."""
    until_ns: int | None = None
    """Last seen before this time: UTC, in nanoseconds since 1970."""
    camera_id: str | None = None
    plate_prefix: str | None = None
    """What the plate begins with; O and 0, I and 1 count as the same."""
    plate_like: str | None = None
    """A whole plate: those are found that differ from it in one changed, missing or added character at most."""
    country: str | None = None
    """The code of the plate's country: UK, CZ, SK, DE..."""
    verdict: VerdictKind | None = None


@dataclass(frozen=True, slots=True)
class PlateCheck:
    """What the registry holds for one plate at one time."""

    verdict: VerdictKind
    """PAID, EXEMPT or UNPAID; no picture is involved, so that nothing is in doubt."""
    vignettes: tuple[Vignette, ...]
    """Those that are valid at that time."""
    exemptions: tuple[Exemption, ...]
    """Those that hold at that time."""
    lapsed: tuple[Vignette, ...]
    """Vignettes of the plate that are not valid at that time: expired, or not yet begun."""


class _Channel:
    """A gRPC channel with a client's options, whose calls raise the errors of `roadside.errors`."""

    def __init__(self, address: str, options: ClientOptions) -> None:
        self.options = options
        credentials = _credentials(options)
        settings = _channel_settings()
        self.channel = (
            grpc.insecure_channel(address, settings)
            if credentials is None
            else grpc.secure_channel(address, credentials, settings)
        )
        self.metadata = _metadata(options)

    def call(self, method: Callable[..., Any], request: Any) -> Any:  # noqa: ANN401 - any message
        try:
            return method(request, timeout=self.options.deadline_s, metadata=self.metadata)
        except grpc.RpcError as error:
            raise error_of(error) from error


class PlatesClient:
    """The client of the Plates service: what was seen. Threads may share one.

    Every method raises UnavailableError where the service does not answer in time, InputError for a question that it
    refuses (a wrong token too), and NotFoundError for a sighting or picture that does not exist.
    """

    def __init__(self, address: str, options: ClientOptions | None = None, *, token: str | None = None) -> None:
        """`token` is short for options that hold nothing else."""
        self._channel = _Channel(address, options or ClientOptions(token=token))
        self._stub = plates_pb2_grpc.PlatesStub(self._channel.channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; watches end."""
        self._channel.channel.close()

    def sightings(self, wanted: SightingFilter | None = None, *, page_size: int = 100) -> Iterator[Sighting]:
        """All sightings that are `wanted` (None: all there are), newest first.

        They are fetched in pages of `page_size` as the iterator is advanced.
        """
        token = ""
        while True:
            request = plates_pb2.ListSightingsRequest(
                page_size=page_size, page_token=token, filter=_filter(wanted or SightingFilter())
            )
            page: plates_pb2.ListSightingsResponse = self._channel.call(self._stub.ListSightings, request)
            yield from map(convert.sighting_from_proto, page.sightings)
            token = page.next_page_token
            if not token:
                return

    def sighting(self, sighting_id: str) -> Sighting:
        """The sighting of that id. Raises NotFoundError if there is none."""
        request = plates_pb2.GetSightingRequest(sighting_id=sighting_id)
        answer: plates_pb2.GetSightingResponse = self._channel.call(self._stub.GetSighting, request)
        return convert.sighting_from_proto(answer.sighting)

    def evidence(self, sighting_id: str, kind: PictureKind = PictureKind.CROP) -> bytes:
        """The picture of a sighting as an encoded file (JPEG or PNG); the service records who looked at it.

        Raises NotFoundError if there is no such sighting, or no such picture of it.
        """
        request = plates_pb2.GetEvidenceRequest(sighting_id=sighting_id, kind=convert.PICTURE_KIND_TO_PROTO[kind])
        chunks = self._channel.call(self._stub.GetEvidence, request)
        try:
            return b"".join(chunk.chunk for chunk in chunks)
        except grpc.RpcError as error:
            raise error_of(error) from error

    def watch(self, wanted: SightingFilter | None = None, *, after: str = "") -> Iterator[Sighting]:
        """Sightings that are `wanted`, each as it is stored, without end.

        It begins after the sighting whose id is `after`, or now if that is empty. When the connection is lost, it
        connects again and goes on after the last sighting that it gave, so that none is missed; before its first
        sighting it can only begin anew from now. Raises UnavailableError when the service was away for
        `ClientOptions.watch_retry_s` seconds.
        """
        away = _Away(self._channel.options.watch_retry_s)
        while True:
            request = plates_pb2.WatchSightingsRequest(
                after_sighting_id=after, filter=_filter(wanted or SightingFilter())
            )
            try:
                for answer in self._stub.WatchSightings(request, metadata=self._channel.metadata):
                    after = answer.sighting.sighting_id
                    away.back()
                    yield convert.sighting_from_proto(answer.sighting)
            except grpc.RpcError as error:
                time.sleep(away.pause_s(error_of(error)))


class AsyncPlatesClient:
    """PlatesClient for asyncio: the same methods, to be awaited or iterated over with `async for`."""

    def __init__(self, address: str, options: ClientOptions | None = None, *, token: str | None = None) -> None:
        """`token` is short for options that hold nothing else."""
        self._options = options or ClientOptions(token=token)
        self._metadata = _metadata(self._options)
        credentials = _credentials(self._options)
        settings = _channel_settings()
        self._channel = (
            grpc.aio.insecure_channel(address, settings)
            if credentials is None
            else grpc.aio.secure_channel(address, credentials, settings)
        )
        self._stub: plates_pb2_grpc.PlatesAsyncStub = plates_pb2_grpc.PlatesStub(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up; watches end."""
        await self._channel.close()

    async def sightings(self, wanted: SightingFilter | None = None, *, page_size: int = 100) -> AsyncIterator[Sighting]:
        """As PlatesClient.sightings."""
        token = ""
        while True:
            request = plates_pb2.ListSightingsRequest(
                page_size=page_size, page_token=token, filter=_filter(wanted or SightingFilter())
            )
            try:
                page = await self._stub.ListSightings(
                    request, timeout=self._options.deadline_s, metadata=self._metadata
                )
            except grpc.aio.AioRpcError as error:
                raise error_of(error) from error
            for sighting in page.sightings:
                yield convert.sighting_from_proto(sighting)
            token = page.next_page_token
            if not token:
                return

    async def sighting(self, sighting_id: str) -> Sighting:
        """As PlatesClient.sighting."""
        request = plates_pb2.GetSightingRequest(sighting_id=sighting_id)
        try:
            answer = await self._stub.GetSighting(request, timeout=self._options.deadline_s, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        return convert.sighting_from_proto(answer.sighting)

    async def evidence(self, sighting_id: str, kind: PictureKind = PictureKind.CROP) -> bytes:
        """As PlatesClient.evidence."""
        request = plates_pb2.GetEvidenceRequest(sighting_id=sighting_id, kind=convert.PICTURE_KIND_TO_PROTO[kind])
        chunks = self._stub.GetEvidence(request, timeout=self._options.deadline_s, metadata=self._metadata)
        try:
            return b"".join([chunk.chunk async for chunk in chunks])
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error

    async def watch(self, wanted: SightingFilter | None = None, *, after: str = "") -> AsyncIterator[Sighting]:
        """As PlatesClient.watch."""
        import asyncio  # noqa: PLC0415 - only whoever uses this client needs a loop

        away = _Away(self._options.watch_retry_s)
        while True:
            request = plates_pb2.WatchSightingsRequest(
                after_sighting_id=after, filter=_filter(wanted or SightingFilter())
            )
            try:
                async for answer in self._stub.WatchSightings(request, metadata=self._metadata):
                    after = answer.sighting.sighting_id
                    away.back()
                    yield convert.sighting_from_proto(answer.sighting)
            except grpc.aio.AioRpcError as error:
                await asyncio.sleep(away.pause_s(error_of(error)))


class RegistryClient:
    """The client of the Registry service: who paid. Threads may share one.

    Every method raises UnavailableError where the service does not answer in time, and InputError for a question that
    it refuses (a wrong token too).
    """

    def __init__(self, address: str, options: ClientOptions | None = None, *, token: str | None = None) -> None:
        """`token` is short for options that hold nothing else."""
        self._channel = _Channel(address, options or ClientOptions(token=token))
        self._stub = registry_pb2_grpc.RegistryStub(self._channel.channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._channel.channel.close()

    def check(
        self, plate: str, country: str | None = None, at_ns: int | None = None, until_ns: int | None = None
    ) -> PlateCheck:
        """What the registry holds for `plate` of `country` (None: any).

        `at_ns` is the time of the passage, UTC in nanoseconds since 1970; None means now. A passage that lasted to
        `until_ns` has paid if it had paid at any moment of it. Separators and lower case in `plate` do not matter.
        """
        return _check(self._channel.call(self._stub.Check, _question(plate, country, at_ns, until_ns)))

    def check_all(self, plates: Sequence[tuple[str, str | None]], at_ns: int | None = None) -> tuple[PlateCheck, ...]:
        """The results of `check` for up to 1000 pairs of plate and country, in their order."""
        request = registry_pb2.BatchCheckRequest(requests=[_question(p, c, at_ns) for p, c in plates])
        answer: registry_pb2.BatchCheckResponse = self._channel.call(self._stub.BatchCheck, request)
        return tuple(map(_check, answer.responses))


class _Away:
    """Counts how long a service has been away, and says when to try again."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._since_s: float | None = None
        self._pause_s = 0.2

    def back(self) -> None:
        self._since_s, self._pause_s = None, 0.2

    def pause_s(self, error: RoadsideError) -> float:
        """Seconds to wait before the next attempt; raises `error` if that cannot help, or the absence was too long."""
        now_s = time.monotonic()
        self._since_s = now_s if self._since_s is None else self._since_s
        if not isinstance(error, UnavailableError) or now_s - self._since_s > self._longest_s:
            raise error
        self._pause_s = min(5.0, self._pause_s * 2)
        return self._pause_s


def _channel_settings() -> list[tuple[str, Any]]:
    return [
        ("grpc.service_config", json.dumps(_RETRIES)),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
    ]


def _credentials(options: ClientOptions) -> grpc.ChannelCredentials | None:
    if options.ca_file is None:
        return None
    return grpc.ssl_channel_credentials(
        options.ca_file.read_bytes(),
        options.key_file.read_bytes() if options.key_file is not None else None,
        options.certificate_file.read_bytes() if options.certificate_file is not None else None,
    )


def _metadata(options: ClientOptions) -> tuple[tuple[str, str], ...]:
    return () if options.token is None else (("authorization", f"Bearer {options.token}"),)


def _filter(wanted: SightingFilter) -> plates_pb2.SightingFilter:
    made = plates_pb2.SightingFilter(
        camera_id=wanted.camera_id or "",
        plate_prefix=wanted.plate_prefix or "",
        plate_like=wanted.plate_like or "",
        country=wanted.country or "",
    )
    if wanted.verdict is not None:
        made.verdict = convert.VERDICT_TO_PROTO[wanted.verdict]
    if wanted.since_ns is not None:
        made.since_time.CopyFrom(convert.time_to_proto(wanted.since_ns))
    if wanted.until_ns is not None:
        made.until_time.CopyFrom(convert.time_to_proto(wanted.until_ns))
    return made


def _question(
    plate: str, country: str | None, at_ns: int | None, until_ns: int | None = None
) -> registry_pb2.CheckRequest:
    request = registry_pb2.CheckRequest(plate=plate, country=country or "")
    if at_ns is not None:
        request.passage_time.CopyFrom(convert.time_to_proto(at_ns))
    if until_ns is not None:
        request.passage_end_time.CopyFrom(convert.time_to_proto(until_ns))
    return request


def _check(answer: registry_pb2.CheckResponse) -> PlateCheck:
    return PlateCheck(
        verdict=convert.VERDICT_FROM_PROTO[answer.verdict],
        vignettes=tuple(map(convert.vignette_from_proto, answer.vignettes)),
        exemptions=tuple(map(convert.exemption_from_proto, answer.exemptions)),
        lapsed=tuple(map(convert.vignette_from_proto, answer.lapsed_vignettes)),
    )
