"""Runs the methods of servicers: in a thread of a bounded pool, or as a coroutine where they are written so."""

from __future__ import annotations

import asyncio
import inspect
import threading
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from roadside.errors import BusyError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    import grpc
    import grpc.aio

    from roadside.kit.callers import Caller

WAITING_PER_THREAD = 32
"""How many calls may wait for each thread before one is refused."""
_END = object()


@dataclass(slots=True)
class Call:
    """What a method of a servicer is given as its context, threads and coroutines alike."""

    caller: Caller
    """Who calls, as it was proved."""
    context: grpc.aio.ServicerContext[Any, Any]
    _gone: threading.Event = field(default_factory=threading.Event)

    def is_active(self) -> bool:
        """Whether somebody still waits for the answer."""
        return not self._gone.is_set()

    def end(self) -> None:
        """Nobody waits any more."""
        self._gone.set()

    async def abort(self, code: grpc.StatusCode, details: str = "") -> None:
        """End the call with a status; only for methods that are coroutines."""
        await self.context.abort(code, details)


@contextmanager
def call_of(context: grpc.aio.ServicerContext[Any, Any], caller: Caller) -> Iterator[Call]:
    """A call that is active inside of the block."""
    call = Call(caller, context)
    try:
        yield call
    finally:
        call.end()


def caller_name(context: grpc.ServicerContext | grpc.aio.ServicerContext[Any, Any]) -> str:
    """The proved name of whoever calls, for what is written down."""
    assert isinstance(context, Call)  # noqa: S101 - the boundary gives every method a Call
    return context.caller.name


class Feed:
    """The requests of a stream, for a thread or a coroutine; each is waited for in the event loop."""

    def __init__(self, requests: AsyncIterator[Any], call: Call, loop: asyncio.AbstractEventLoop) -> None:
        self._requests = requests
        self._call = call
        self._loop = loop

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:  # noqa: ANN401 - any message
        """Raises UnavailableError where the client went away before the end."""
        if not self._call.is_active():
            raise UnavailableError("the client went away")
        coming = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
        while True:
            try:
                request = coming.result(timeout=1.0)
                break
            except futures.TimeoutError:
                if not self._call.is_active():
                    coming.cancel()
                    raise UnavailableError("the client went away") from None
            except futures.CancelledError:
                raise UnavailableError("the client went away") from None
        if request is _END:
            raise StopIteration
        return request

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._requests

    async def _next(self) -> Any:  # noqa: ANN401 - any message
        return await anext(self._requests, _END)


class Workers:
    """Two pools of threads: one for calls that are whole, one for streams of requests, which wait for their clients."""

    def __init__(self, threads: int, streams: int) -> None:
        self._threads = threads
        self._streams = streams
        self._pool = futures.ThreadPoolExecutor(threads, thread_name_prefix="grpc")
        self._stream_pool = futures.ThreadPoolExecutor(streams, thread_name_prefix="grpc-stream")
        self._waiting = 0
        self._streaming = 0

    def close(self) -> None:
        """Take no more work; what runs goes on to its end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._stream_pool.shutdown(wait=False, cancel_futures=True)

    async def idle(self) -> None:
        """Returns once a thread for whole calls was free."""
        await asyncio.get_running_loop().run_in_executor(self._pool, lambda: None)

    async def answer(self, behaviour: Callable[..., Any], given: Any, call: Call) -> Any:  # noqa: ANN401 - any message
        """The answer of a method to one request, or to a stream of them. Raises BusyError, and what it raises."""
        if inspect.iscoroutinefunction(behaviour):
            return await behaviour(given, call)
        if isinstance(given, Feed):
            with self._stream_place():
                return await self._run(self._stream_pool, behaviour, given, call)
        return await self._whole(behaviour, given, call)

    async def answers(self, behaviour: Callable[..., Any], given: Any, call: Call) -> AsyncIterator[Any]:  # noqa: ANN401 - any message
        """The answers of a method; between two of a generator no thread is held, however slowly they are fetched."""
        if inspect.isasyncgenfunction(behaviour):
            async for answer in behaviour(given, call):
                yield answer
        elif isinstance(given, Feed):
            with self._stream_place():
                made = iter(behaviour(given, call))
                while (answer := await self._run(self._stream_pool, next, made, _END)) is not _END:
                    yield answer
        else:
            made = iter(await self._whole(behaviour, given, call))
            while (answer := await self._whole(next, made, _END)) is not _END:
                yield answer

    async def _whole(self, function: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401 - a method's
        if self._waiting >= self._threads * (WAITING_PER_THREAD + 1):
            raise BusyError("too many calls wait already: ask again later")
        self._waiting += 1
        try:
            return await self._run(self._pool, function, *arguments)
        finally:
            self._waiting -= 1

    async def _run(self, pool: futures.Executor, function: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401
        return await asyncio.get_running_loop().run_in_executor(pool, function, *arguments)

    @contextmanager
    def _stream_place(self) -> Iterator[None]:
        if self._streaming >= self._streams:
            raise BusyError(f"{self._streams} streams of requests are open already")
        self._streaming += 1
        try:
            yield
        finally:
            self._streaming -= 1
