"""What Home Assistant's templates make of a notice."""

from __future__ import annotations

import json

import jinja2
import pytest

from roadside.adapters.notify.home_assistant import announcements
from roadside.notify.options import MqttOptions


@pytest.mark.parametrize(("verdict", "shown"), [("UNPAID", "UNPAID"), (None, "SEEN")])
def test_the_last_verdict_of_a_vehicle_that_nobody_judged_is_no_none(verdict: str | None, shown: str) -> None:
    options = MqttOptions(name="home", host="mqtt://127.0.0.1", home_assistant=True)
    told = {topic: json.loads(payload) for topic, payload in announcements(options, "drive", watched=True)}
    entity = told["homeassistant/sensor/roadside_drive/verdict/config"]
    template = jinja2.Environment(autoescape=True).from_string(entity["value_template"])
    assert template.render(value_json={"verdict": verdict}) == shown
