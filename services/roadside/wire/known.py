"""Known plates as messages."""

from __future__ import annotations

from roadside.core.countries import country_code
from roadside.core.known import Action, KnownPlate
from roadside.core.lettering import plate_key
from roadside.core.vignettes import NEVER_NS
from roadside.v1 import lists_pb2
from roadside.wire.convert import ACTION_TO_PROTO, time_from_proto, time_to_proto

ACTION_FROM_PROTO = {value: action for action, value in ACTION_TO_PROTO.items()}


def known_plate_to_proto(plate: KnownPlate) -> lists_pb2.KnownPlate:
    """The message for a plate of a list; bounds that are none are left out."""
    return lists_pb2.KnownPlate(
        plate=plate.plate,
        country=plate.country,
        name=plate.name,
        group=plate.group,
        valid_from_time=time_to_proto(plate.valid_from_ns) if plate.valid_from_ns > 0 else None,
        valid_to_time=time_to_proto(plate.valid_to_ns) if plate.valid_to_ns < NEVER_NS else None,
    )


def known_plate_from_proto(list_name: str, plate: lists_pb2.KnownPlate, action: Action = Action.ALERT) -> KnownPlate:
    """The plate of a list. Raises ValueError for what is no plate or country, or ends before it begins."""
    country = country_code(plate.country) if plate.country else ""
    begins = time_from_proto(plate.valid_from_time) if plate.HasField("valid_from_time") else 0
    ends = time_from_proto(plate.valid_to_time) if plate.HasField("valid_to_time") else NEVER_NS
    if not plate_key(plate.plate, country):
        raise ValueError("a plate is empty")
    if ends <= begins:
        raise ValueError("valid_to_time lies before valid_from_time")
    return KnownPlate(list_name, action, plate.plate, country, plate.name, plate.group, begins, ends)
