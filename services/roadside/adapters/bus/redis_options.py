"""How the bus on Redis is set up."""

from __future__ import annotations

from dataclasses import dataclass

GROUP = "roadside"
"""Of the consumers of every stream."""
HANDED_KEPT = 256
"""Of so many frames of a camera at the least it is known that they were handed over, however long ago that was."""


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """How to reach Redis, and after what time others' work is taken over."""

    url: str
    """redis:// or rediss:// (TLS), with user, password, database; of a cluster several nodes, with commas between."""
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
    """Of all dead letters of a partition together; the oldest go first."""
    lead_s: float = 8.0
    """For which a leader leads after its last call, and a member is one: so a partition has its next leader in 10 s."""
    lead_every_s: float = 0.5
    """Between two calls that ask Redis who leads."""
    timeout_s: float = 10.0
    shed_frames_at: float = 0.8
    """The share of its memory from which on Redis takes no frames: what is left is for what was seen already."""
    frames_url: str = ""
    """Of the Redis that holds frames; empty: the same one."""
    partitions: int = 0
    """0: as many as Redis was begun with, 1 at first."""
    replicas: int = 0
    """Of a Redis cluster, that must have what was handed over before it counts as handed over."""
    replicas_wait_s: float = 0.5
    """For which these are waited for; where they do not answer, it goes on without them, and is counted."""
