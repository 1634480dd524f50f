"""Who is told what, how often it is tried, and how the service goes on whatever is away; all without a network."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roadside.adapters.notify.opening import open_channels
from roadside.adapters.notify.secret import secrets_in
from roadside.core.frames import CameraId
from roadside.core.notices import Draft
from roadside.core.reads import FusedPlate
from roadside.core.sightings import Answer, Sighting, Statement, Verdict, VerdictKind
from roadside.errors import SettingsError, StoreUnavailableError, UnavailableError
from roadside.kit.backoff import Backoff
from roadside.kit.health import Health
from roadside.notify.channels import Channels
from roadside.notify.dispatcher import Delivery, Dispatcher, Outcome
from roadside.notify.options import NotifyOptions, load_notify_options
from roadside.notify.policy import compose
from roadside.notify.runner import CHANNELS, STORE, NotifyParts, NotifyRunner
from tests.clocks import HandClock
from tests.outboxes import MemoryOutbox
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from roadside.core.notices import OutboxCounts
    from roadside.ports.notify import Channel

S = 10**9
NOW_NS = 1_800_000_000 * S
PLATE = "1AB2345"


@dataclass
class Memory:
    """A channel to a list; `faults` are raised first, one a notice."""

    faults: list[str] = field(default_factory=list)
    got: list[str] = field(default_factory=list)
    closed: int = 0

    def send(self, body: str) -> None:
        if self.faults:
            raise UnavailableError(self.faults.pop(0))
        self.got.append(json.loads(body)["sighting_id"])

    def close(self) -> None:
        self.closed += 1


@dataclass
class Counting:
    """A Meter that remembers."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    gauges: dict[str, float] = field(default_factory=dict)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        assert name == "notices_total"
        self.counts[labels["channel"], labels["outcome"], name] += int(amount)

    def set(self, name: str, value: float, **labels: str) -> None:
        assert not labels
        self.gauges[name] = value

    def observe(self, name: str, value: float, **labels: str) -> None:
        raise AssertionError(name, value, labels)


class Absent(MemoryOutbox):
    """An outbox whose store is away."""

    def counts(self) -> OutboxCounts:
        raise StoreUnavailableError("the database: no answer")


def confirmed(kind: VerdictKind) -> Verdict:
    return Verdict(kind, "no-paid-reading", 0, 0, witness=Statement(Answer.CONFIRMED, "other", "0" * 64, "AB12CDE"))


def sighting(name: str = "s1", kind: VerdictKind = VerdictKind.UNPAID) -> Sighting:
    rows = np.full((7, 36), 1 / 36, np.float32)
    plate = FusedPlate(PLATE, PLATE, "CZ", 0.9, rows, (), (), 2)
    return Sighting(name, CameraId("gate"), "t", NOW_NS - 9, NOW_NS, plate, confirmed(kind))


def options(**others: object) -> NotifyOptions:
    hook = {"name": "hook", "url": "http://127.0.0.1:9/", "secret_env": "X"}
    return NotifyOptions.model_validate({"webhook": [hook], "attempts": 3, "backoff_s": 10.0, **others})


def dispatcher(outbox: MemoryOutbox, channel: Channel, clock: HandClock, seed: int = 1, **others: object) -> Dispatcher:
    return Dispatcher(outbox, {"hook": channel}, options(**others), clock, random.Random(seed))


def filled(*names: str, channel: str = "hook") -> MemoryOutbox:
    outbox = MemoryOutbox()
    for name in names:
        outbox.save(sighting(name))
    outbox.collect(lambda seen: [Draft(channel, json.dumps({"sighting_id": seen.sighting_id}))], NOW_NS)
    return outbox


# policy


@pytest.mark.parametrize("kind", VerdictKind)
def test_each_channel_is_told_of_its_verdicts_alone(kind: VerdictKind) -> None:
    chosen = NotifyOptions.model_validate(
        {"mqtt": [{"name": "home", "host": "x", "verdicts": ["PAID"]}, {"name": "usual", "host": "x"}]}
    )
    told = [draft.channel for draft in compose(sighting(kind=kind), chosen)]
    assert told == {"PAID": ["home"], "UNPAID": ["usual"], "REVIEW": ["usual"], "NONE": ["usual"]}.get(kind.value, [])


def test_a_body_holds_the_plate_only_where_it_was_asked_for() -> None:
    two = [{"name": "shy", "host": "x"}, {"name": "open", "host": "x", "with_plate": True}]
    drafts = {d.channel: d.body for d in compose(sighting(), NotifyOptions.model_validate({"mqtt": two}))}
    assert PLATE not in drafts["shy"]
    assert json.loads(drafts["shy"]) == {
        "sighting_id": "s1",
        "camera": "gate",
        "seen_at": "2027-01-15T08:00:00.000Z",
        "verdict": "UNPAID",
        "rule": "no-paid-reading",
    }
    assert json.loads(drafts["open"]).items() >= {("plate", PLATE), ("country", "CZ")}


# dispatcher


def test_what_arrived_is_done_and_in_order() -> None:
    outbox, channel = filled("a", "b"), Memory()
    assert dispatcher(outbox, channel, HandClock(NOW_NS)).deliver() == Delivery(2, 0, 0)
    assert channel.got == ["a", "b"]
    assert dispatcher(outbox, channel, HandClock(NOW_NS)).deliver() == Delivery(0, 0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_pauses_double_and_a_random_half_is_taken_off(seed: int) -> None:
    outbox, clock = filled("a"), HandClock(NOW_NS)
    channel = Memory(["one", "two", "three"])
    sending = dispatcher(outbox, channel, clock, seed, attempts=4)
    for expected_s in (10, 20, 40):
        assert sending.deliver() == Delivery(0, 1, 0)
        started_ns = clock.ns
        clock.ns = started_ns + expected_s * S // 2 - 1
        assert outbox.due(clock.ns) == []
        clock.ns = started_ns + expected_s * S
        assert len(outbox.due(clock.ns)) == 1
    assert sending.deliver() == Delivery(1, 0, 0)


def test_no_pause_is_over_an_hour() -> None:
    outbox, clock = filled("a"), HandClock(NOW_NS)
    sending = dispatcher(outbox, Memory(["no"] * 99), clock, attempts=100, backoff_s=3000.0)
    for _ in range(99):
        assert sending.deliver() == Delivery(0, 1, 0)
        clock.ns += 3600 * S
    assert sending.deliver() == Delivery(1, 0, 0)


def test_a_notice_is_given_up_after_its_attempts_with_its_last_fault() -> None:
    outbox, clock = filled("a", "b"), HandClock(NOW_NS)
    channel = Memory(["1", "2", "3", "4", "HTTP 503"])
    sending = dispatcher(outbox, channel, clock)
    for expected in (Delivery(0, 2, 0), Delivery(0, 2, 0), Delivery(1, 0, 1)):
        assert sending.deliver() == expected
        clock.ns += 100 * S
    assert [(n.sighting_id, n.attempts, n.fault) for n in outbox.dead()] == [("a", 3, "HTTP 503")]
    assert outbox.revive(clock.ns) == 1
    assert sending.deliver() == Delivery(1, 0, 0)


def test_a_channel_that_was_taken_out_of_the_file_holds_nobody_up() -> None:
    outbox, clock = filled("a", channel="gone"), HandClock(NOW_NS)
    sending = dispatcher(outbox, Memory(), clock, attempts=1)
    (attempt,) = sending.attempts()
    assert (attempt.outcome, attempt.fault) == (Outcome.GIVEN_UP, "this channel is not configured any more")


def test_who_stops_in_the_middle_leaves_the_rest_due() -> None:
    outbox, channel = filled("a", "b"), Memory()
    assert next(iter(dispatcher(outbox, channel, HandClock(NOW_NS)).attempts())).notice.sighting_id == "a"
    assert [n.sighting_id for n in outbox.due(NOW_NS)] == ["b"]


# the file of channels


@dataclass
class Opening:
    """Opens a channel in memory for each that is named, and remembers them."""

    kind: type[Memory] = Memory
    opened: list[Memory] = field(default_factory=list)

    def __call__(self, chosen: NotifyOptions) -> Mapping[str, Channel]:
        made = {each.name: self.kind() for each in chosen.channels}
        if "secretless" in made:
            raise SettingsError("notifications need the variable X")
        self.opened += made.values()
        return made


def write(path: Path, *names: str) -> None:
    path.write_text("".join(f'[[mqtt]]\nname = "{name}"\nhost = "x"\n' for name in names))


def test_channels_are_opened_anew_when_the_file_changes_and_only_then(tmp_path: Path) -> None:
    path, opening = tmp_path / "notify.toml", Opening()
    channels = Channels(path, opening)
    write(path, "a")
    assert [channels.refresh(), channels.refresh()] == [True, False]
    write(path, "a", "b")
    assert channels.refresh()
    assert sorted(channels.by_name) == ["a", "b"]
    assert [channel.closed for channel in opening.opened] == [1, 0, 0]
    channels.close()
    assert [channel.closed for channel in opening.opened] == [1, 1, 1]


@pytest.mark.parametrize("fault", ["missing", "[[mqtt", "webhook = 3", "secretless"])
def test_a_file_that_is_wrong_leaves_open_what_was(tmp_path: Path, fault: str) -> None:
    path, opening = tmp_path / "notify.toml", Opening()
    channels = Channels(path, opening)
    write(path, "a")
    channels.refresh()
    if fault == "missing":
        path.unlink()
    elif fault == "secretless":
        write(path, fault)
    else:
        path.write_text(fault)
    for _ in range(2):
        with pytest.raises(SettingsError):
            channels.refresh()
    assert list(channels.by_name) == ["a"]
    assert opening.opened[0].closed == 0
    write(path, "b")
    assert channels.refresh()
    assert list(channels.by_name) == ["b"]


def test_without_a_file_there_are_no_channels() -> None:
    channels = Channels(None, Opening())
    assert channels.refresh()
    assert channels.by_name == {}
    assert compose(sighting(), channels.options) == []


def test_an_empty_file_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "notify.toml"
    path.write_text("# nobody yet\n")
    assert load_notify_options(path).channels == ()


def test_a_secret_is_a_file_of_the_folder_or_else_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = secrets_in(tmp_path)
    monkeypatch.setenv("X", "of the environment")
    assert find("X") == "of the environment"
    (tmp_path / "X").write_text("of the folder\n")
    assert find("X") == "of the folder"
    monkeypatch.delenv("X")
    (tmp_path / "X").write_text("\n")
    with pytest.raises(SettingsError, match=f"the secret X: put it into {tmp_path}"):
        find("X")


def test_channels_of_every_kind_are_opened_by_name_and_a_missing_secret_is_told(tmp_path: Path) -> None:
    broker = {"name": "home", "host": "127.0.0.1", "username": "me", "password_env": "PASSWORD"}
    chosen = options(mqtt=[broker])
    (tmp_path / "X").write_text("a")
    with pytest.raises(SettingsError, match="PASSWORD"):
        open_channels(chosen, HandClock(), tmp_path)
    (tmp_path / "PASSWORD").write_text("b")
    opened = open_channels(chosen, HandClock(), tmp_path)
    assert {name: type(channel).__name__ for name, channel in opened.items()} == {
        "hook": "Webhook",
        "home": "MqttChannel",
    }
    for channel in opened.values():
        channel.close()


# the loop of the service


@dataclass
class Service:
    """The loop with everything around it in memory."""

    path: Path | None
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    opening: Opening = field(default_factory=Opening)
    clock: HandClock = field(default_factory=lambda: HandClock(NOW_NS))
    meter: Counting = field(default_factory=Counting)
    stopping: threading.Event = field(default_factory=threading.Event)
    monotonic_s: float = 0.0

    def __post_init__(self) -> None:
        self.health = Health((STORE, CHANNELS), lambda: self.monotonic_s)
        self.runner = NotifyRunner(
            NotifyParts(
                self.outbox,
                Channels(self.path, self.opening),
                clock=self.clock,
                rng=random.Random(1),
                meter=self.meter,
                health=self.health,
                backoff=Backoff(random.Random(1)),
                stopping=self.stopping,
            )
        )

    def outcomes(self) -> Mapping[str, int]:
        return {outcome: count for (_, outcome, _), count in self.meter.counts.items()}

    def received(self) -> Sequence[str]:
        return [name for channel in self.opening.opened for name in channel.got]


def test_the_first_round_passes_over_the_past_and_the_next_tells_of_what_is_new(tmp_path: Path) -> None:
    write(tmp_path / "f", "hook")
    service = Service(tmp_path / "f")
    service.outbox.save(sighting("past"))
    service.runner.round()
    assert service.health.missing() == []
    assert service.outcomes() == {"delivered": 0, "failed": 0, "given_up": 0}
    service.outbox.save(sighting("new"))
    service.runner.round()
    assert service.received() == ["new"]
    assert service.outcomes()["delivered"] == 1
    assert service.meter.gauges == {"notices_waiting_count": 0, "notices_given_up_count": 0}


def test_what_did_not_arrive_is_counted(tmp_path: Path) -> None:
    (tmp_path / "f").write_text('attempts = 2\nbackoff_s = 1.0\n[[mqtt]]\nname = "hook"\nhost = "x"\n')
    service = Service(tmp_path / "f")
    service.runner.round()
    service.opening.opened[0].faults = ["no", "no"]
    service.outbox.save(sighting("s"))
    service.runner.round()
    assert service.meter.gauges == {"notices_waiting_count": 1, "notices_given_up_count": 0}
    service.clock.ns += S
    service.runner.round()
    assert service.meter.gauges == {"notices_waiting_count": 0, "notices_given_up_count": 1}
    assert service.outcomes() == {"delivered": 0, "failed": 1, "given_up": 1}


def test_without_channels_it_is_idle_and_ready_and_the_first_channel_hears_of_what_comes_then(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write(path)
    service = Service(path)
    for name in ("past", "nobody listens"):
        service.outbox.save(sighting(name))
        service.runner.round()
        assert service.health.missing() == []
    assert service.outbox.counts().waiting == 0
    write(path, "hook")
    service.runner.round()
    service.outbox.save(sighting("new"))
    service.runner.round()
    assert service.received() == ["new"]


def test_a_wrong_file_makes_it_unready_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("[[mqtt")
    service = Service(path)
    service.outbox.save(sighting("past"))
    service.runner.round()
    service.outbox.save(sighting("meanwhile"))
    service.runner.round()
    assert service.health.missing() == [CHANNELS]
    write(path, "hook")
    service.runner.round()
    assert service.health.missing() == []
    assert service.received() == ["meanwhile"]
    path.unlink()
    service.outbox.save(sighting("later"))
    service.runner.round()
    assert service.health.missing() == [CHANNELS]
    assert service.received() == ["meanwhile", "later"], "what was open goes on"


def test_a_store_that_is_away_makes_it_unready_until_it_is_back(tmp_path: Path) -> None:
    write(tmp_path / "f", "hook")
    service = Service(tmp_path / "f", outbox=Absent())
    running = threading.Thread(target=service.runner.run)
    running.start()
    wait_for(lambda: service.health.missing() == [STORE], "the store to be missed")
    service.stopping.set()
    running.join(PLENTY_S)
    assert not running.is_alive()


def test_told_to_stop_it_finishes_the_notice_in_hand_and_leaves_the_rest(tmp_path: Path) -> None:
    write(tmp_path / "f", "hook")
    stopping = threading.Event()

    class Stops(Memory):
        def send(self, body: str) -> None:
            super().send(body)
            stopping.set()

    service = Service(tmp_path / "f", opening=Opening(Stops), stopping=stopping)
    service.runner.round()
    for name in ("a", "b"):
        service.outbox.save(sighting(name))
    service.runner.run()
    assert service.received() == ["a"]
    assert [n.sighting_id for n in service.outbox.due(NOW_NS)] == ["b"]
    assert service.opening.opened[0].closed == 1
    service.monotonic_s = 1000.0
    assert service.health.still() == [], "a loop that has ended is not one that stands still"
