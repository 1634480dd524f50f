"""The bus of a cluster: Redis (or Valkey) Streams with one consumer group each.

A stream holds exactly what is not done: acknowledged entries are deleted, so its length is the backlog. What a camera
has on its way is kept in a sorted set beside the streams ("flight"), which tells the horizon exactly.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from roadside.adapters.bus import redis_scripts
from roadside.adapters.bus.redis_report import report, state_of
from roadside.core.frames import END_OF_TIME_NS, CameraId
from roadside.errors import BusFullError, BusUnavailableError, InputError, PoisonError, SettingsError
from roadside.kit.addresses import MEND, server_fault
from roadside.ports.bus import (
    FRAMES,
    MEMORY_S,
    STREAMS,
    UPSTREAM,
    Backlog,
    BusMemory,
    BusReport,
    CameraState,
    DeadLetter,
    Delivery,
    Leadership,
    Receipt,
    stream_named,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from roadside.core.events import Event
    from roadside.ports.bus import Codec, EventT, Output, Stream
    from roadside.ports.system import Clock

GROUP = "roadside"
DEAD_LETTERS_KEPT = 10_000
DEAD_LETTER_BYTES = 24 * 1024 * 1024
"""A larger payload is not kept with its letter: no consumer would take it on replay."""
_RELEASED = "released"
"""The consumer in whose name released entries wait to be claimed."""
_RELEASED_IDLE_MS = 24 * 3600 * 1000
_PAGE = 100
_LOOK_AT_MEMORY_EVERY_S = 1.0
_LETTER_ID = re.compile(r"\d{1,20}-\d{1,20}")


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """How to reach Redis, and after what time others' work is taken over."""

    url: str
    """redis:// or rediss:// (TLS), with user, password and database."""
    consumer: str
    """This process's name in the groups: the same after a restart, different for every replica."""
    prefix: str = "roadside"
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    claim_after_s: float = 30.0
    """A message in the hands of a consumer for longer than this is taken from it."""
    claim_every_s: float = 1.0
    dead_letter_bytes: int = 256 * 1024 * 1024
    """Of all dead letters together; the oldest go first."""
    lead_s: float = 10.0
    timeout_s: float = 10.0
    shed_frames_at: float = 0.8
    """The share of its memory from which on Redis takes no frames: what is left is for what was seen already."""


@dataclass(slots=True)
class _Reading:
    """Where this consumer stands on one stream."""

    in_hand: set[str] = field(default_factory=set)
    recover_from: str | None = "0"
    """Own entries after this one are still to be taken up again; None once all are."""
    take_all: bool = False
    """Leadership is fresh: everything pending is ours, whoever held it."""
    claimed_at_s: float = 0.0
    led: bool = False


class RedisStreams:
    """A Bus over Redis Streams; safe for one consuming thread, and for any number that publish or look."""

    def __init__(self, options: RedisOptions, codec: Codec, clock: Clock) -> None:
        self._options = options
        self._codec = codec
        self._clock = clock
        self._readings: dict[Stream[Any], _Reading] = {stream: _Reading() for stream in STREAMS}
        self._grouped: set[Stream[Any]] = set()
        self._memory = BusMemory(0, 0)
        self._memory_looked_s = float("-inf")
        arguments: dict[str, Any] = {
            "socket_timeout": options.timeout_s,
            "socket_connect_timeout": min(2.0, options.timeout_s),
            "socket_keepalive": True,
            "retry": Retry(NoBackoff(), 0),
        }
        if options.url.startswith("rediss://"):
            arguments |= {
                "ssl_ca_certs": options.ca_file,
                "ssl_certfile": options.certificate_file,
                "ssl_keyfile": options.key_file,
            }
        if fault := server_fault(options.url):
            raise SettingsError(f"redis_url: {fault}")
        try:
            # redis-py types every answer as the union over two protocols; this is protocol 2.
            self._redis: Any = redis.Redis.from_url(options.url, protocol=2, **arguments)
        except ValueError as exc:
            raise SettingsError(f"redis_url: cannot be used; {MEND}") from exc
        self._publish = self._redis.register_script(redis_scripts.PUBLISH)
        self._commit = self._redis.register_script(redis_scripts.COMMIT)
        self._reject = self._redis.register_script(redis_scripts.REJECT)
        self._replay = self._redis.register_script(redis_scripts.REPLAY)
        self._drop = self._redis.register_script(redis_scripts.DROP)
        self._lead = self._redis.register_script(redis_scripts.LEAD)
        self._group = self._redis.register_script(redis_scripts.GROUP)
        self._remember = self._redis.register_script(redis_scripts.REMEMBER)
        self._declare = self._redis.register_script(redis_scripts.DECLARE)
        self._sweep = self._redis.register_script(redis_scripts.SWEEP)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def ping(self) -> None:
        """Nothing where Redis answers. Raises BusUnavailableError; SettingsError where it refuses this user."""
        with self._translated():
            self._redis.ping()

    def clock_ns(self) -> int:
        """What the clock of Redis says: UTC, in nanoseconds since 1970. Raises as `ping` does."""
        with self._translated():
            seconds, micros = self._redis.time()
        return int(seconds) * 10**9 + int(micros) * 1000

    def memory(self) -> BusMemory:
        """How full Redis is. Raises as `ping` does."""
        with self._translated():
            found = self._redis.info("memory")
        return BusMemory(int(found["used_memory"]), int(found.get("maxmemory", 0)))

    def publish(self, stream: Stream[EventT], event: EventT, *, limit: int = 0) -> bool:
        """See Bus; a frame whose sequence number the camera has passed is taken as published already.

        Redis also takes no frame that may be refused once its memory is nearly full. Raises BusFullError where it is.
        """
        payload = self._codec.encode(stream, event)
        if limit and stream == FRAMES and self._is_nearly_full(len(payload)):
            return False
        with self._translated():
            return bool(
                self._publish(
                    keys=[
                        self._stream_key(stream),
                        self._flight_key(event.camera_id),
                        self._camera_key(event.camera_id),
                    ],
                    args=[
                        limit,
                        int(stream == FRAMES),
                        event.camera_id,
                        event.captured_at_ns,
                        event.captured_at_ns // 1000 if stream in UPSTREAM else "",
                        event.identity,
                        payload,
                    ],
                )
            )

    def receive(self, stream: Stream[EventT], *, max_messages: int, block_s: float) -> Sequence[Delivery[EventT]]:
        """See Bus."""
        reading = self._readings[stream]
        try:
            with self._translated():
                self._ensure_group(stream)
                taken = self._recovered(stream, reading, max_messages)
                if len(taken) < max_messages:
                    taken += self._claimed(stream, reading, max_messages - len(taken))
                if len(taken) < max_messages:
                    wait_s = 0 if taken else block_s
                    taken += self._fresh(stream, reading, max_messages - len(taken), wait_s)
                return taken
        except BusUnavailableError:
            # An answer may have been lost on its way: what it held is ours already and must be asked for again.
            reading.recover_from = "0"
            self._grouped.discard(stream)
            raise

    def commit(self, done: Sequence[Receipt], outputs: Sequence[Output[Any]] = ()) -> bool:
        """See Bus."""
        if not done and not outputs:
            return True
        stream = done[0].stream if done else outputs[0].stream
        keys = [self._stream_key(stream), self._leader_key(stream)]

        def place(key: str) -> int:
            if key not in keys:
                keys.append(key)
            return keys.index(key) + 1

        args: list[str | int | bytes] = [
            GROUP,
            self._options.consumer if self._readings[stream].led and done else "",
            len(done),
        ]
        for receipt in done:
            args += [receipt.entry_id, place(self._flight_key(receipt.camera_id)), receipt.identity]
        args.append(len(outputs))
        for output in outputs:
            event = output.event
            flight = place(self._flight_key(event.camera_id)) if output.stream in UPSTREAM else 0
            args += [
                place(self._stream_key(output.stream)),
                flight,
                event.camera_id,
                event.captured_at_ns,
                event.captured_at_ns // 1000,
                event.identity,
                self._codec.encode(output.stream, event),
            ]
        with self._translated():
            committed = bool(self._commit(keys=keys, args=args))
        self._put_down(done)
        return committed

    def release(self, receipts: Sequence[Receipt]) -> None:
        """See Bus."""
        with self._translated():
            for receipt in receipts:
                self._redis.xclaim(
                    self._stream_key(receipt.stream),
                    GROUP,
                    _RELEASED,
                    0,
                    [receipt.entry_id],
                    idle=_RELEASED_IDLE_MS,
                    retrycount=receipt.deliveries,
                    justid=True,
                )
        self._put_down(receipts)

    def reject(self, delivery: Delivery[EventT], reason: str) -> bool:
        """See Bus; a payload over DEAD_LETTER_BYTES is not kept, and its letter cannot be replayed."""
        receipt, size = delivery.receipt, len(delivery.payload)
        with self._translated():
            rejected = bool(
                self._reject(
                    keys=[
                        self._stream_key(receipt.stream),
                        self._flight_key(receipt.camera_id),
                        *self._dead_keys(),
                    ],
                    args=[
                        GROUP,
                        receipt.entry_id,
                        receipt.camera_id,
                        receipt.captured_at_ns,
                        receipt.identity,
                        delivery.payload if size <= DEAD_LETTER_BYTES else b"",
                        receipt.stream.name,
                        reason,
                        self._clock.now_ns(),
                        size,
                        DEAD_LETTERS_KEPT,
                        self._options.dead_letter_bytes,
                    ],
                )
            )
        self._put_down([receipt])
        return rejected

    def horizon_ns(self, camera_id: CameraId, held: Collection[str]) -> int:
        """See Bus; rounded down to a microsecond."""
        # A full Redis refuses transactions, so these are none. In this order they need not be one: what is published
        # in between is newer than the camera's state as it was read, and is in the flight.
        with self._translated(), self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(self._camera_key(camera_id))
            # Of the first len(held) + 1 members at least one is not held, if there is one at all.
            pipeline.zrange(self._flight_key(camera_id), 0, len(held), withscores=True)
            state, flight = pipeline.execute()
        for identity, captured_at_us in flight:
            if identity.decode() not in held:
                return int(captured_at_us) * 1000
        if state.get(b"ended") == b"1":
            return END_OF_TIME_NS
        return int(state.get(b"at", 0)) // 1000 * 1000

    def is_waited_for(self, camera_id: CameraId, held: Collection[str]) -> bool:
        """See Bus."""
        with self._translated():
            return self._waited_for(camera_id, held) is not None

    def sweep(self, camera_id: CameraId, held: Collection[str]) -> int:
        """See Bus; looks through every stream on the way, so it is for a horizon that stands still."""
        with self._translated():
            waited_for = self._waited_for(camera_id, held)
            if waited_for is None:
                return 0
            return self._swept(camera_id, waited_for)

    def repair(self, camera_id: CameraId) -> int:
        """The same of all that is on its way, whatever is waited for; how many were forgotten."""
        with self._translated():
            return self._swept(camera_id, b"")

    def _swept(self, camera_id: CameraId, waited_for: bytes) -> int:
        keys = [self._flight_key(camera_id), *(self._stream_key(stream) for stream in UPSTREAM)]
        return int(self._sweep(keys=keys, args=[camera_id, waited_for]))

    def _waited_for(self, camera_id: CameraId, held: Collection[str]) -> bytes | None:
        """The oldest event on its way that is not held: of the first len(held) + 1 at least one is not."""
        found: list[bytes] = self._redis.zrange(self._flight_key(camera_id), 0, len(held))
        return next((identity for identity in found if identity.decode(errors="replace") not in held), None)

    def report(self) -> BusReport:
        """What there is of streams and cameras, for a person. Raises as `ping` does."""
        with self._translated():
            return report(self._redis, self._options.prefix, GROUP, self.memory())

    def camera(self, camera_id: CameraId) -> CameraState | None:
        """See Bus."""
        with self._translated():
            state = self._redis.hgetall(self._camera_key(camera_id))
        return state_of(state)

    def set_camera(self, camera_id: CameraId, *, live: bool, ended: bool) -> None:
        """See Bus."""
        with self._translated():
            self._declare(keys=[self._camera_key(camera_id)], args=[int(live), int(ended)])

    def remembered(self, camera_id: CameraId) -> bytes:
        """See Bus."""
        with self._translated():
            memory: bytes | None = self._redis.get(self._memory_key(camera_id))
        return memory or b""

    def remember(self, camera_id: CameraId, memory: bytes) -> None:
        """See Bus."""
        with self._translated():
            self._remember(keys=[self._memory_key(camera_id)], args=[memory, round(MEMORY_S * 1000)])

    def lead(self, stream: Stream[Any]) -> Leadership:
        """See Bus."""
        reading = self._readings[stream]
        with self._translated():
            answer = self._lead(
                keys=[self._leader_key(stream)],
                args=[self._options.consumer, int(self._options.lead_s * 1000)],
            )
        if not answer:
            reading.led = False
            return Leadership.NOT
        if reading.led and answer == Leadership.KEPT:
            return Leadership.KEPT
        # Nobody else may hold anything of this stream now; what we held may have been done by another meanwhile.
        reading.led, reading.take_all = True, True
        reading.in_hand.clear()
        return Leadership.TAKEN

    def backlog(self, stream: Stream[Any]) -> Backlog:
        """See Bus."""
        with self._translated():
            self._ensure_group(stream)
            length = int(self._redis.xlen(self._stream_key(stream)))
            pending = int(self._redis.xpending(self._stream_key(stream), GROUP)["pending"])
        return Backlog(waiting=max(0, length - pending), pending=pending)

    def dead_letters(self) -> Sequence[DeadLetter]:
        """See Bus."""
        return list(self._letters())

    def count_dead_letters(self) -> int:
        """See Bus."""
        with self._translated():
            return int(self._redis.xlen(self._dead_keys()[0]))

    def replay(self, letter_id: str) -> bool:
        """See Bus. Raises InputError for a letter whose payload was too large to be kept."""
        if not _LETTER_ID.fullmatch(letter_id):
            return False
        with self._translated():
            found = self._redis.xrange(self._dead_keys()[0], letter_id, letter_id)
            if not found:
                return False
            fields = found[0][1]
            if int(fields[b"n"]) > DEAD_LETTER_BYTES:
                raise InputError(f"dead letter {letter_id} was too large to be kept: it can only be dropped")
            stream = stream_named(fields[b"s"].decode())
            flight = self._flight_key(fields[b"c"].decode(errors="replace"))
            return bool(
                self._replay(
                    keys=[*self._dead_keys(), self._stream_key(stream), flight],
                    args=[letter_id, int(fields[b"t"]) // 1000 if stream in UPSTREAM else ""],
                )
            )

    def drop(self, letter_id: str) -> bool:
        """See Bus."""
        if not _LETTER_ID.fullmatch(letter_id):
            return False
        with self._translated():
            return bool(self._drop(keys=self._dead_keys(), args=[letter_id]))

    def purge_dead_letters(self, before_ns: int) -> int:
        """See Bus."""
        old = [letter.letter_id for letter in self._letters() if letter.died_at_ns < before_ns]
        return sum(map(self.drop, old))

    def forget_dead_letters(self, mentions: Callable[[Event | bytes], bool]) -> int:
        """See Bus; one payload at a time is in memory."""
        return sum(self.drop(letter.letter_id) for letter in self._letters() if mentions(self._content(letter)))

    def _letters(self) -> Iterator[DeadLetter]:
        after = "-"
        while True:
            with self._translated():
                entries = self._redis.xrange(self._dead_keys()[0], min=after, count=_PAGE)
            for entry_id, fields in entries:
                yield DeadLetter(
                    letter_id=entry_id.decode(),
                    stream=stream_named(fields[b"s"].decode()),
                    camera_id=fields[b"c"].decode(errors="replace"),
                    identity=fields[b"i"].decode(errors="replace"),
                    reason=fields[b"r"].decode(errors="replace"),
                    died_at_ns=int(fields[b"d"]),
                    size_bytes=int(fields[b"n"]),
                )
            if len(entries) < _PAGE:
                return
            after = f"({entries[-1][0].decode()}"

    def _content(self, letter: DeadLetter) -> Event | bytes:
        """What a letter holds, its bytes where that is no event."""
        with self._translated():
            for key in self._dead_keys()[1::-1]:  # letters of older versions hold their payload themselves
                found = self._redis.xrange(key, letter.letter_id, letter.letter_id)
                payload: bytes = found[0][1].get(b"p", b"") if found else b""
                if payload:
                    break
        try:
            event: Event = self._codec.decode(letter.stream, payload)
        except PoisonError:
            return payload
        return event

    def _recovered(self, stream: Stream[EventT], reading: _Reading, count: int) -> list[Delivery[EventT]]:
        """What this consumer held before it died or lost an answer, without what it has in hand."""
        while reading.recover_from is not None:
            answer = self._redis.xreadgroup(
                GROUP,
                self._options.consumer,
                {self._stream_key(stream): reading.recover_from},
                count=count,
            )
            entries = answer[0][1] if answer else []
            if not entries:
                reading.recover_from = None
                break
            reading.recover_from = entries[-1][0].decode()
            if deliveries := self._taken_up(stream, reading, entries):
                return deliveries
        return []

    def _claimed(self, stream: Stream[EventT], reading: _Reading, count: int) -> list[Delivery[EventT]]:
        """What others have held for too long; of a stream that we lead, everything that others held."""
        if reading.led and not reading.take_all:
            return []
        now_s = time.monotonic()
        if not reading.take_all and now_s - reading.claimed_at_s < self._options.claim_every_s:
            return []
        idle_ms = 0 if reading.take_all else int(self._options.claim_after_s * 1000)
        cursor: str | bytes = "0-0"
        while True:
            answer = self._redis.xautoclaim(
                self._stream_key(stream), GROUP, self._options.consumer, idle_ms, cursor, count=max(count, 1)
            )
            cursor, entries = answer[0], answer[1]
            if deliveries := self._taken_up(stream, reading, entries):
                return deliveries
            if cursor in (b"0-0", "0-0"):
                reading.take_all = False
                reading.claimed_at_s = now_s
                return []

    def _fresh(self, stream: Stream[EventT], reading: _Reading, count: int, block_s: float) -> list[Delivery[EventT]]:
        answer = self._redis.xreadgroup(
            GROUP,
            self._options.consumer,
            {self._stream_key(stream): ">"},
            count=count,
            block=max(1, int(block_s * 1000)),
        )
        deliveries: list[Delivery[EventT]] = []
        for entry_id, fields in answer[0][1] if answer else []:
            reading.in_hand.add(entry_id.decode())
            deliveries += self._delivery(stream, entry_id.decode(), fields, 1)
        return deliveries

    def _taken_up(
        self, stream: Stream[EventT], reading: _Reading, entries: Sequence[tuple[bytes, dict[bytes, bytes] | None]]
    ) -> list[Delivery[EventT]]:
        """Old entries as deliveries, with how often they were handed out; those in hand are left out."""
        wanted = [(entry_id.decode(), fields) for entry_id, fields in entries]
        wanted = [(entry_id, fields) for entry_id, fields in wanted if entry_id not in reading.in_hand]
        if not wanted:
            return []
        pending = self._redis.xpending_range(
            self._stream_key(stream), GROUP, min=wanted[0][0], max=wanted[-1][0], count=max(_PAGE, len(entries))
        )
        counts = {entry["message_id"].decode(): int(entry["times_delivered"]) for entry in pending}
        deliveries: list[Delivery[EventT]] = []
        for entry_id, fields in wanted:
            if not fields:  # deleted by hand while it was pending
                self._redis.xack(self._stream_key(stream), GROUP, entry_id)
                continue
            reading.in_hand.add(entry_id)
            deliveries += self._delivery(stream, entry_id, fields, counts.get(entry_id, 1))
        return deliveries

    def _delivery(
        self, stream: Stream[EventT], entry_id: str, fields: dict[bytes, bytes], count: int
    ) -> Iterator[Delivery[EventT]]:
        """The entry as a delivery; none, but a dead letter, where it is no message of ours."""
        try:
            camera_id, at_ns, identity = CameraId(fields[b"c"].decode()), int(fields[b"t"]), fields[b"i"].decode()
            payload = fields[b"p"]
        except (KeyError, ValueError):
            whole = b" ".join(key + b"=" + value for key, value in fields.items())
            broken = Receipt(stream, entry_id, CameraId("?"), 0, entry_id, count)
            self.reject(Delivery(broken, partial(self._codec.decode, stream, whole), whole), "not a message")
            return
        receipt = Receipt(stream, entry_id, camera_id, at_ns, identity, count)
        yield Delivery(receipt, partial(self._codec.decode, stream, payload), payload)

    def _put_down(self, receipts: Sequence[Receipt]) -> None:
        for receipt in receipts:
            self._readings[receipt.stream].in_hand.discard(receipt.entry_id)

    def _ensure_group(self, stream: Stream[Any]) -> None:
        if stream in self._grouped:
            return
        self._group(keys=[self._stream_key(stream)], args=[GROUP])
        self._grouped.add(stream)

    def _is_nearly_full(self, payload_bytes: int) -> bool:
        """Whether a frame is to be shed, as of the last second and with what was published since."""
        now_s, known = time.monotonic(), self._memory
        if now_s - self._memory_looked_s > _LOOK_AT_MEMORY_EVERY_S:
            self._memory_looked_s = now_s
            try:
                known = self.memory()
            except SettingsError:  # a user of an older version, without the right to ask
                known = BusMemory(0, 0)
        self._memory = BusMemory(known.used_bytes + payload_bytes, known.limit_bytes)
        return self._memory.share >= self._options.shed_frames_at

    def _stream_key(self, stream: Stream[Any]) -> str:
        return f"{{{self._options.prefix}}}:{stream.name}"

    def _flight_key(self, camera_id: str) -> str:
        return f"{{{self._options.prefix}}}:flight:{camera_id}"

    def _camera_key(self, camera_id: str) -> str:
        return f"{{{self._options.prefix}}}:camera:{camera_id}"

    def _memory_key(self, camera_id: str) -> str:
        return f"{{{self._options.prefix}}}:memory:{camera_id}"

    def _leader_key(self, stream: Stream[Any]) -> str:
        return f"{{{self._options.prefix}}}:leader:{stream.name}"

    def _dead_keys(self) -> list[str]:
        """Of the dead letters, of their payloads, and of how many bytes these have."""
        dead = f"{{{self._options.prefix}}}:dead"
        return [dead, f"{dead}:payloads", f"{dead}:bytes"]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Errors of Redis as errors of ours; a stream that vanished is made again at the next call."""
        try:
            yield
        except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as exc:
            raise SettingsError(f"Redis refuses this user: {exc}") from exc
        except redis.exceptions.OutOfMemoryError as exc:
            raise BusFullError("Redis is full: its memory (maxmemory) is used up by what waits") from exc
        except redis.RedisError as exc:
            self._grouped.clear()
            if "OOM command not allowed" in str(exc):  # from within a script
                raise BusFullError("Redis is full: its memory (maxmemory) is used up by what waits") from exc
            raise BusUnavailableError(f"Redis does not answer: {exc}") from exc
