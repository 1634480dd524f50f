"""How many vehicles passed, and what was said of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from roadside.console.terms import VERDICTS
from roadside.console.web import Visit, page
from roadside.core.sightings import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.console.ports import PassageCount

HOUR_S = 3600
SPANS = {"day": 24, "week": 7 * 24, "month": 31 * 24}
"""Hours of each span that can be chosen."""


@page()
async def statistics(visit: Visit) -> Response:
    """The numbers of a span."""
    span = _span(visit)
    counts = await _counts(visit, span)
    rules = await run_in_threadpool(visit.desk.ledger.rules, _since_ns(visit, span))
    by_verdict, by_camera = Counter[str](), Counter[str]()
    for entry in counts:
        by_verdict[entry.verdict] += entry.count
        by_camera[entry.camera_id] += entry.count
    return visit.draw(
        "statistics.html",
        span=span,
        spans=tuple(SPANS),
        total=sum(by_verdict.values()),
        by_verdict=[(kind.value, by_verdict[kind.value]) for kind in VerdictKind],
        by_camera=by_camera.most_common(20),
        rules=rules,
    )


@page()
async def series(visit: Visit) -> Response:
    """The same by hour, for the chart: seconds since 1970, then a row a verdict."""
    span = _span(visit)
    counts = await _counts(visit, span)
    first = _since_ns(visit, span) // 10**9 // HOUR_S
    hours = range(first, visit.desk.clock.now_ns() // 10**9 // HOUR_S + 1)
    many: Counter[tuple[int, str]] = Counter()
    for entry in counts:
        many[entry.hour_ns // 10**9 // HOUR_S, entry.verdict] += entry.count
    rows = [[many[hour, kind.value] for hour in hours] for kind in VerdictKind]
    names = [kind.value for kind in VerdictKind]
    labels = [*(visit.words.say(VERDICTS[name]) for name in names), visit.words.say("Time")]
    told = {"names": names, "labels": labels, "zone": str(visit.desk.zone)}
    return JSONResponse({**told, "data": [[hour * HOUR_S for hour in hours], *rows]})


def _span(visit: Visit) -> str:
    chosen = visit.request.query_params.get("span", "day")
    return chosen if chosen in SPANS else "day"


def _since_ns(visit: Visit, span: str) -> int:
    return visit.desk.clock.now_ns() - SPANS[span] * HOUR_S * 10**9


async def _counts(visit: Visit, span: str) -> Sequence[PassageCount]:
    return await run_in_threadpool(visit.desk.ledger.counts, _since_ns(visit, span))


ROUTES = [Route("/statistics", statistics), Route("/statistics/series", series)]
