"""The loop around a stage that takes many messages at once: what came together is handled and committed together."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from roadside.errors import PoisonError, UnavailableError
from roadside.kit.logs import fields
from roadside.kit.stage_runner import StageRunner
from roadside.ports.bus import EventT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from roadside.kit.stage_runner import LoopParts, RunnerLimits
    from roadside.ports.bus import BatchStage, Delivery, Stream

_log = logging.getLogger(__name__)


class BatchRunner(StageRunner[EventT, "Any"]):
    """Runs a last stage on one stream until told to stop; what fails in company is tried alone."""

    def __init__(
        self, source: Stream[EventT], stage: BatchStage[EventT, Any], parts: LoopParts, limits: RunnerLimits
    ) -> None:
        """Nothing follows from what `stage` is given."""
        super().__init__(source, None, stage, parts, limits)
        self._batches = stage

    def _handle_some(self, deliveries: list[Delivery[EventT]]) -> None:
        """Those that never failed together; the others, and all of a batch that failed, one by one."""
        together, events = self._loaded(deliveries)
        alone = [delivery for delivery in deliveries if delivery not in together]
        if len(together) > 1 and not self._done_together(together, events):
            together, alone = [], deliveries[:]
        elif len(together) <= 1:
            alone = deliveries[:]
        deliveries.clear()
        deliveries += alone
        super()._handle_some(deliveries)

    def _loaded(self, deliveries: Sequence[Delivery[EventT]]) -> tuple[list[Delivery[EventT]], list[EventT]]:
        """Deliveries of the first time whose events can be read, and these."""
        together, events = [], []
        for delivery in deliveries:
            if delivery.receipt.deliveries > 1:
                continue
            try:
                events.append(delivery.load())
            except PoisonError:  # told when it is handled alone
                continue
            together.append(delivery)
        return together, events

    def _done_together(self, deliveries: Sequence[Delivery[EventT]], events: Sequence[EventT]) -> bool:
        started_s = time.perf_counter()
        ages_s = [self._age_s(delivery.receipt) for delivery in deliveries]
        try:
            self._batches.handle_all(events)
        except (PoisonError, UnavailableError):  # told, and waited for, when they are handled alone
            return False
        except Exception:  # noqa: BLE001 - as in the loop of one stage: each is tried alone, where its fault is told
            _log.info("failed together", extra=fields(stream=self._source.name, count=len(events)))
            return False
        receipts = [delivery.receipt for delivery in deliveries]
        done = self._parts.retry.call(lambda: self._bus.commit(receipts), otherwise=False)
        each_s = (time.perf_counter() - started_s) / len(deliveries)
        for receipt, age_s in zip(receipts, ages_s, strict=True):
            self._parts.meter.observe("stream_age_seconds", age_s)
            self._told(receipt, "done" if done else "duplicate", each_s)
        return True
