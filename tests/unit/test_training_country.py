"""The layers of the reader that tell countries are trained alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is only in .venv-train: run `make test-training`")

from models.ocr import config as settings  # noqa: E402
from models.ocr.country import examples, fit, rendered_plates, rendered_strips  # noqa: E402
from models.ocr.network import ReaderNet, load_body, strips_to_tensor  # noqa: E402
from roadside.errors import ModelError, SourceError  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

SMALL = settings.load()
WITH_ENDS = SMALL.model_copy(update={"net": SMALL.net.model_copy(update={"country_ends": 4})})
STRIPS = torch.randint(0, 255, (3, 48, 176), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_the_ends_of_a_plate_are_summed_up_apart() -> None:
    net = ReaderNet(WITH_ENDS).eval()
    columns = torch.arange(44.0).expand(1, SMALL.net.channels[-1], 1, 44)
    means = net.summary(columns).reshape(4, -1)[:, 0]
    assert means.tolist() == pytest.approx([21.5, 1.5, 5.5, 41.5])
    assert net(strips_to_tensor(STRIPS))[1].shape == (3, len(SMALL.countries))


def test_only_the_countrys_layers_change_and_they_learn(tmp_path: Path) -> None:
    torch.save(ReaderNet(SMALL).state_dict(), tmp_path / "before.pt")
    net = ReaderNet(WITH_ENDS).eval()
    load_body(net, tmp_path / "before.pt")
    before = {key: value.clone() for key, value in net.state_dict().items()}
    seen = examples(net, [(strip, place) for place, strip in enumerate(STRIPS.numpy())])
    fit(net, seen, None, 300)
    changed = {key for key, value in net.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {key for key in before if key.startswith("country")}
    with torch.no_grad():
        assert net(strips_to_tensor(STRIPS))[1].argmax(1).tolist() == [0, 1, 2]


def test_every_country_is_drawn_as_often_and_its_plates_are_kept(tmp_path: Path) -> None:
    few = SMALL.model_copy(update={"countries": ("HU", "AT", "CH", "OT")})
    plates = rendered_plates(tmp_path, few, 3)
    assert [plate.country for plate in plates] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    again = rendered_plates(tmp_path, few, 3)
    assert [plate.text for plate in again] == [plate.text for plate in plates]
    strips = list(rendered_strips(plates, np.random.default_rng(0), 2))
    assert len(strips) == 24
    assert strips[0][0].shape == (48, 176)


def test_a_checkpoint_of_another_net_and_no_plate_at_all_are_refused(tmp_path: Path) -> None:
    torch.save({"stem.convolution.weight": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=r"other\.pt is no checkpoint of this reader"):
        load_body(ReaderNet(SMALL), tmp_path / "other.pt")
    with pytest.raises(SourceError, match="no plate to tell countries by"):
        examples(ReaderNet(SMALL), [])
