"""Live watches over gRPC: one reader of the store for all of them, in order, no gap, and none that holds others."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from roadside.adapters.encryption import new_keyring
from roadside.adapters.sql import SqlSightingStore, Vault, open_embedded
from roadside.adapters.sql.bell import open_bell
from roadside.adapters.sql.retention import RetentionManager
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId
from roadside.core.reads import FusedPlate
from roadside.core.sightings import Sighting, Verdict, VerdictKind
from roadside.errors import BusyError
from roadside.kit.grpc_server import GrpcServer, ServerOptions
from roadside.kit.health import Health
from roadside.kit.prometheus import PrometheusMeter
from roadside.plates.metrics import SPECS
from roadside.plates.servicer import PlatesServicer
from roadside.plates.watching import MOST_BEHIND, WatchHub
from roadside.v1 import plates_pb2, plates_pb2_grpc
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ROWS = np.full((7, 36), 1 / 36, np.float32)
MOST_WATCHERS = 20


class CountedStore(SqlSightingStore):
    """Counts how often it is read for live watches."""

    looks = 0

    def after(self, sequence: int, limit: int) -> Sequence[Sighting]:
        self.looks += 1
        return super().after(sequence, limit)


class Served:
    """The Plates service on a database of its own."""

    def __init__(self, folder: Path) -> None:
        clock = SystemClock()
        self.database = open_embedded(folder / "r.db")
        self.folder, self.keyring = folder, new_keyring("k")
        self.store = CountedStore(self.database, Vault(folder / "e", self.keyring), clock)
        meter = PrometheusMeter("plates", SPECS, CollectorRegistry())
        self.hub = WatchHub(self.store, open_bell(self.database), meter, MOST_WATCHERS)
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.hub.run, args=(self.stopping,))
        self._thread.start()

        def register(server: grpc.aio.Server) -> tuple[str]:
            plates_pb2_grpc.add_PlatesServicer_to_server(PlatesServicer(self.store, self.hub), server)
            return ("roadside.v1.Plates",)

        self.server = GrpcServer(ServerOptions("127.0.0.1", 0), register, Health((), time.monotonic), meter)
        self.server.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.server.port}")
        self.stub = plates_pb2_grpc.PlatesStub(self.channel)

    def save(self, *names: str, camera: str = "gate") -> None:
        for name in names:
            plate = FusedPlate("1AB2345", "1AB2345", "CZ", 0.9, ROWS, (), (), 2)
            verdict = Verdict(VerdictKind.REVIEW, "one-look", 0.0, 0.0)
            self.store.save(Sighting(name, CameraId(camera), name, 10, 10, plate, verdict))

    def watch(self, **wanted: object) -> Watching:
        return Watching(self.stub.WatchSightings(plates_pb2.WatchSightingsRequest(**wanted)))  # type: ignore[arg-type]

    def close(self) -> None:
        self.stopping.set()
        self._thread.join()
        self.channel.close()
        self.server.stop(1.0)
        self.database.close()


class Watching:
    """A watch that is read in a thread of its own."""

    def __init__(self, stream: grpc.CallIterator[plates_pb2.WatchSightingsResponse]) -> None:
        self.came: list[str] = []
        self.error: grpc.RpcError | None = None
        self._stream = stream
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for answer in self._stream:
                self.came.append(answer.sighting.sighting_id)
        except grpc.RpcError as error:
            self.error = error

    def code(self) -> grpc.StatusCode | None:
        return None if self.error is None else self.error.code()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.close()


def test_all_watches_see_everything_once_and_in_order(served: Served) -> None:
    served.save("a", "b")
    late = [served.watch(after_sighting_id="a") for _ in range(5)]
    for watch in late:
        wait_for(lambda w=watch: w.came == ["b"], "what is known already")  # type: ignore[misc]
    names = [f"n{number}" for number in range(250)]
    served.save(*names)
    for watch in late:
        wait_for(lambda w=watch: len(w.came) == 251, "everything")  # type: ignore[misc]
        assert watch.came == ["b", *names]


def test_a_watch_whose_last_sighting_was_purged_goes_on_with_the_next(served: Served) -> None:
    served.save("a", "b", "c")
    retention = RetentionManager(served.database, Vault(served.folder / "e", served.keyring), SystemClock())
    retention.forget("1AB2345", "a test")
    served.save("d")
    watch = served.watch(after_sighting_id="b")
    wait_for(lambda: watch.came == ["d"] or watch.code() is not None, "the next")
    assert watch.code() is None
    lost = served.watch(after_sighting_id="nobody ever knew it")
    wait_for(lambda: lost.code() is grpc.StatusCode.NOT_FOUND, "a word")


def test_a_filter_holds_for_each_watch_alone(served: Served) -> None:
    served.save("before")
    yard = served.watch(after_sighting_id="before", filter={"camera_id": "yard"})
    every = served.watch(after_sighting_id="before")
    served.save("one")
    served.save("two", camera="yard")
    wait_for(lambda: every.came == ["one", "two"], "all")
    wait_for(lambda: yard.came == ["two"], "the yard's")


def test_the_store_is_read_once_however_many_watch(served: Served) -> None:
    served.save("before")
    watches = [served.watch(after_sighting_id="before") for _ in range(MOST_WATCHERS)]
    served.save("first")
    wait_for(lambda: all(w.came == ["first"] for w in watches), "the first")
    before = served.store.looks
    for number in range(5):
        served.save(f"s{number}")
        wait_for(lambda n=number: all(len(w.came) == n + 2 for w in watches), "the next")  # type: ignore[misc]
    assert served.store.looks - before < MOST_WATCHERS * 5 / 2
    too_many = served.watch()
    wait_for(lambda: too_many.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, "the refusal of one too many")


def test_nobody_watches_and_nothing_is_read(served: Served) -> None:
    watch = served.watch()
    served.save("x")
    wait_for(lambda: bool(served.store.looks), "a look")
    watch._stream.cancel()  # noqa: SLF001 - of this file
    wait_for(lambda: not served.hub.watchers(), "the end of the watch")
    time.sleep(0.3)  # a look that was under way
    looks = served.store.looks
    time.sleep(0.8)
    assert served.store.looks == looks


def test_one_who_reads_too_slowly_is_told_and_holds_nobody(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roadside.plates.watching.MOST_BEHIND", 20)
    assert MOST_BEHIND > 20
    served.save("before")
    start = served.store.newest_sequence

    async def read_slowly() -> list[str]:
        slow = served.hub.watch(start)
        waiting = asyncio.ensure_future(anext(slow))
        await asyncio.to_thread(wait_for, lambda: served.hub.watchers() == 1, "the watch")
        await asyncio.to_thread(served.save, "first")
        came = [(await asyncio.wait_for(waiting, PLENTY_S)).sighting.sighting_id]
        await asyncio.to_thread(served.save, *(f"n{number}" for number in range(60)))
        newest = served.store.newest_sequence()
        # Handed out before the quick one comes, who may have no more of them at once than the slow one.
        await asyncio.to_thread(wait_for, lambda: served.hub._position == newest, "the last of them")  # noqa: SLF001
        quick = served.hub.watch(lambda: served.store.get("n0").sequence)
        came += [(await asyncio.wait_for(anext(quick), PLENTY_S)).sighting.sighting_id]
        await quick.aclose()
        with pytest.raises(BusyError, match="watch again after the last one that came"):
            await asyncio.wait_for(anext(slow), PLENTY_S)
        return came

    assert asyncio.run(read_slowly()) == ["first", "n1"]
    assert not served.hub.watchers()


def test_the_end_of_the_service_ends_watches(served: Served) -> None:
    watch = served.watch()
    wait_for(lambda: served.hub.watchers() == 1, "the watch")
    served.stopping.set()
    wait_for(lambda: watch.code() is grpc.StatusCode.UNAVAILABLE, "the end")


def test_who_looks_for_a_plate_is_written_down_without_the_plate(served: Served, tmp_path: Path) -> None:
    served.save("a")
    for wanted in ({"plate_like": "1AB2345"}, {"plate_prefix": "1AB"}, {"camera_id": "gate"}):
        request = plates_pb2.ListSightingsRequest(filter=plates_pb2.SightingFilter(**wanted))  # type: ignore[arg-type]
        assert len(served.stub.ListSightings(request, timeout=PLENTY_S).sightings) == 1
    watch = served.watch(filter={"plate_like": "1AB2345"})

    def audited() -> list[tuple[str, str, str]]:
        with sqlite3.connect(tmp_path / "r.db") as known:
            return known.execute("SELECT actor, action, subject FROM audit ORDER BY entry_id").fetchall()

    wait_for(lambda: len(audited()) == 3, "the watch's entry")
    entries = audited()
    assert [(actor, action) for actor, action, _ in entries] == [("local 127.0.0.1", "searched")] * 3
    assert all("1AB" not in subject for _, _, subject in entries)
    assert entries[0][2] == entries[2][2] != entries[1][2]
    assert watch.error is None
