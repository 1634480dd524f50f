"""`make bench-console`: fifty live pages and ten sightings a second, and a page of search on ten million rows."""

from __future__ import annotations

import argparse
import http.client
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from roadside.adapters.sql import open_embedded
from roadside.assembly.records import open_records
from roadside.assembly.settings import load_settings
from roadside.core.sightings import VerdictKind
from tests.bench.storage import FIRST_NS, fill
from tests.consoles import PASSWORD, seen_sighting
from tests.waiting import wait_for

SEARCHES = {
    "newest": "",
    "a camera": "camera=camera-7",
    "a verdict": "verdict=UNPAID",
    "a country": "country=CZ",
    "what a plate begins with": "plate=1AB23&how=starts",
    "up to one character away": "plate=1AB2345&how=like",
    "one day": f"since={time.strftime('%Y-%m-%d', time.gmtime(FIRST_NS / 1e9 + 86_400))}"
    f"&until={time.strftime('%Y-%m-%d', time.gmtime(FIRST_NS / 1e9 + 86_400))}",
    "a camera and a verdict": "camera=camera-0&verdict=UNPAID",
    "a camera without any of a verdict": "camera=camera-7&verdict=UNPAID",
    "a plate of a camera": "plate=1AB2345&how=like&camera=camera-0",
    "a country without any": "country=SK",
    "a camera and a country without any": "camera=camera-7&country=CZ",
    "a direction": "direction=in",
    "a list": "known=family",
    "a list without any": "known=nobody",
    "a list and a camera without any": "known=family&camera=camera-7",
}
REPEATED = 15


@dataclass
class Service:
    """`roadside console` as a process, and an administrator in it."""

    db: Path
    address: str = ""
    cookie: str = ""
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> None:
        command = [sys.executable, "-m", "roadside.cli", "console", "--db", str(self.db), "--console-port", "0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.address = re.findall(r"http\S+", self.process.stderr.readline())[0]
        link = re.findall(r"/welcome/\S+", self.process.stderr.readline())[0]
        connection = self.connect()
        wait_for(self._is_up, "the console")
        form = urlencode({"password": PASSWORD, "again": PASSWORD})
        connection.request("POST", link, form, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        self.cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
        answer.read()
        connection.close()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=120)

    def get(self, path: str) -> bytes:
        connection = self.connect()
        connection.request("GET", path, headers={"Cookie": self.cookie})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200, (path, answer.status)
        return body

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def _is_up(self) -> bool:
        try:
            connection = self.connect()
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False


def main() -> None:
    """Print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sightings", type=int, default=10_000_000)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--db", type=Path, help="a database of sightings that is there already")
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="roadside-bench-") as folder:
        measure_live(Path(folder) / "live.db", parsed.pages, parsed.seconds)
        db = parsed.db or Path(folder) / "many.db"
        if parsed.db is None:
            database = open_embedded(db)
            fill(database, parsed.sightings)
            database.close()
        measure_search(db, parsed.sightings)


def measure_live(db: Path, pages: int, seconds: float) -> None:
    """Many open pages while sightings come, ten a second."""
    records = open_records(load_settings({"db": db}))
    service = Service(db)
    service.start()
    heard, ready = [0] * pages, [False] * pages
    late_s: list[float] = []
    stored: dict[str, float] = {}

    def listen(number: int) -> None:
        connection = service.connect()
        connection.request("GET", "/live/events?after=0", headers={"Cookie": service.cookie})
        answer = connection.getresponse()
        while line := answer.readline():
            ready[number] = True
            if found := re.search(rb'data-sighting="(\w+)"', line):
                heard[number] += 1
                if number == 0:
                    late_s.append(time.monotonic() - stored[found[1].decode()])

    quiet_mb = service.memory_mb()
    threads = [threading.Thread(target=listen, args=(number,), daemon=True) for number in range(pages)]
    for thread in threads:
        thread.start()
    wait_for(lambda: all(ready), "every page connected")
    began_s, cpu_s, count = time.monotonic(), service.cpu_s(), 0
    while time.monotonic() - began_s < seconds:
        sighting, pictures = seen_sighting(f"AB{count:05d}", VerdictKind.REVIEW, name=f"s{count:023d}")
        stored[sighting.sighting_id] = time.monotonic()
        records.store.save(sighting, pictures)
        count += 1
        time.sleep(max(0.0, began_s + count / 10 - time.monotonic()))
    took_s, used_s = time.monotonic() - began_s, service.cpu_s() - cpu_s
    wait_for(lambda: min(heard) >= count, f"every page told of {count}")
    print(
        f"{pages} live pages, {count / took_s:.1f} sightings a second for {took_s:.0f} s: every page told of all "
        f"{count}, {statistics.median(late_s):.2f} s after storing (worst {max(late_s):.2f} s); "
        f"{100 * used_s / took_s:.0f} % of a core, {quiet_mb:.0f} MB before, {service.memory_mb():.0f} MB after",
        flush=True,
    )
    service.stop()
    records.close()


def measure_search(db: Path, sightings: int) -> None:
    """Each kind of search, and the page after it."""
    service = Service(db)
    service.start()
    for name, asked in SEARCHES.items():
        page = service.get(f"/search?{asked}").decode()
        _timed(f"search by {name}", service, f"/search?{asked}", sightings)
        if following := re.search(r'rel="next" href="([^"]+)"', page):
            _timed(f"search by {name}, the next page", service, following[1].replace("&amp;", "&"), sightings)
    for path in ("/", "/statistics", "/review"):
        _timed(path, service, path, sightings)
    print(f"memory {service.memory_mb():.0f} MB", flush=True)
    service.stop()


def _timed(name: str, service: Service, path: str, sightings: int) -> None:
    took = []
    for _ in range(REPEATED):
        started = time.perf_counter()
        service.get(path)
        took.append((time.perf_counter() - started) * 1000)
    print(f"{name} of {sightings:,}: median {statistics.median(took):.0f} ms, worst {max(took):.0f} ms", flush=True)


if __name__ == "__main__":
    main()
