"""Memory that is free goes back to the system, and asking for that costs nothing."""

from __future__ import annotations

import subprocess
import sys

from roadside.assembly.services import SERVICES
from roadside.kit.memory import EVERY_S, MemoryKeeper

HOLES = """
import ctypes, sys
from roadside.kit import memory

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]

def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

def allocate(size):
    place = libc.malloc(size)
    ctypes.memset(place, 1, size)
    return place

if sys.argv[1] == "mapped":
    memory.map_buffers()
began = resident_mb()
places = [allocate(70_000) for _ in range(600)]
last = allocate(60_000)  # keeps the heap from being cut at its end
for place in places:
    libc.free(place)
freed = resident_mb()
memory.give_back()
print(freed - began, resident_mb() - began)
"""


def holes(kind: str) -> tuple[float, float]:
    """Megabytes that a process has more once 42 MB were taken and freed, and after `give_back`."""
    ran = subprocess.run([sys.executable, "-c", HOLES, kind], capture_output=True, text=True, check=True)
    freed, given = map(float, ran.stdout.split())
    return freed, given


def test_what_is_free_in_the_midst_of_the_heap_is_given_back() -> None:
    freed, given = holes("plain")
    assert freed > 35, "malloc has kept it, or the rest of this test shows nothing"
    assert given < 5


def test_mapped_buffers_are_gone_when_they_are_freed() -> None:
    freed, _ = holes("mapped")
    assert freed < 5


def test_it_is_given_back_once_a_minute_however_often_it_is_asked() -> None:
    now_s, given_s = 0.0, []
    keeper = MemoryKeeper(lambda: given_s.append(now_s), lambda: now_s)
    for second in range(300):
        now_s = float(second)
        keeper.look()
    assert given_s == [EVERY_S * n for n in range(1, 5)]


def test_services_that_handle_every_frame_keep_their_memory_at_hand() -> None:
    assert {service.name for service in SERVICES if service.handles_frames} == {"capture", "detector", "ocr"}


HEAPS = """
import ctypes, sys, threading
from roadside.kit import memory
if sys.argv[1] == "shared":
    memory.share_heap()
def take():
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    assert library.malloc(1000)
threads = [threading.Thread(target=take) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
ctypes.CDLL(None).malloc_stats()
"""
"""Prints a line for each heap on its standard error."""


def heaps(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", HEAPS, how], capture_output=True, text=True, check=True)
    return done.stderr.count("Arena ")


def test_threads_of_services_share_one_heap() -> None:
    assert heaps("shared") == 1
    assert heaps("apart") > 1
