"""The names of keys in Redis. All of one partition share a hash tag, so that a cluster keeps them in one slot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roadside.ports.bus import Stream


@dataclass(frozen=True, slots=True)
class Keys:
    """Those under one hash tag."""

    tag: str
    """With its braces."""

    @classmethod
    def of_partition(cls, prefix: str, partition: int, partitions: int) -> Keys:
        """A partition's; where there is one alone it bears no number, as in versions that knew no partitions."""
        return cls(f"{{{prefix}:{partition}}}" if partitions > 1 else f"{{{prefix}}}")

    def stream(self, stream: Stream[Any]) -> str:
        """A stream: what of it is not done."""
        return f"{self.tag}:{stream.name}"

    def flight(self, camera_id: str) -> str:
        """Identities of a camera's events that are on their way, by their capture times in microseconds."""
        return f"{self.tag}:flight:{camera_id}"

    def sizes(self, camera_id: str) -> str:
        """Identities of a camera's frames that are not done, by their bytes."""
        return f"{self.tag}:sizes:{camera_id}"

    def since(self, camera_id: str) -> str:
        """Identities of a camera's frames that are not done, by the milliseconds at which they were published."""
        return f"{self.tag}:since:{camera_id}"

    def handed(self, camera_id: str) -> str:
        """Identities of the frames that were handed over of late, where frames lie in a Redis of their own."""
        return f"{self.tag}:handed:{camera_id}"

    def camera(self, camera_id: str) -> str:
        """What is known of a camera."""
        return f"{self.tag}:camera:{camera_id}"

    def memory(self, camera_id: str) -> str:
        """What is remembered for whoever holds a camera's reads next."""
        return f"{self.tag}:memory:{camera_id}"

    def leader(self, stream: Stream[Any]) -> str:
        """The one consumer of a stream."""
        return f"{self.tag}:leader:{stream.name}"

    def members(self, stream: Stream[Any]) -> str:
        """The consumers that would lead partitions of a stream, by when they are gone if they say nothing more."""
        return f"{self.tag}:members:{stream.name}"

    @property
    def partitions(self) -> str:
        """How many partitions there are."""
        return f"{self.tag}:partitions"

    @property
    def dead(self) -> list[str]:
        """The dead letters, their payloads, and how many bytes these have."""
        return [f"{self.tag}:dead", f"{self.tag}:dead:payloads", f"{self.tag}:dead:bytes"]
