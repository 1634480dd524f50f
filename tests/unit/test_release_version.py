from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

import roadside
from release.version import REPEATED, ROOT, SOURCE, current, differing, mentions, set_version

if TYPE_CHECKING:
    from pathlib import Path


def test_every_mention_is_the_version_of_the_package() -> None:
    assert current() == roadside.__version__
    assert differing() == [], "run python -m release.version"
    assert mentions() > 40, "manifests name images by version"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for pattern in (SOURCE, *REPEATED):
        for path in ROOT.glob(pattern):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    return tmp_path


def test_an_image_of_another_version_is_named_with_its_line(checkout: Path) -> None:
    manifest = checkout / "k3s" / "41-ocr.yaml"
    manifest.write_text("a: 1\nimage: roadside.local/ocr:9.9.9\n", encoding="utf-8")
    assert differing(checkout) == ["k3s/41-ocr.yaml:2: roadside.local/ocr:9.9.9"]


def test_a_new_version_is_written_into_all_of_them(checkout: Path) -> None:
    changed = set_version("12.3.4", checkout)
    assert current(checkout) == "12.3.4"
    assert differing(checkout) == []
    names = {path.name for path in changed}
    assert {"_version.py", "CITATION.cff", "compose.yaml", "50-capture.yaml", "roadside.yaml", "operations.md"} <= names
    assert "name: migrate-12.3.4" in (checkout / "k3s" / "30-migrate.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "1.2.3-rc1", "1.2.3\n"])
def test_what_is_no_version_is_refused_and_changes_nothing(checkout: Path, version: str) -> None:
    before = (checkout / SOURCE).read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="no version"):
        set_version(version, checkout)
    assert (checkout / SOURCE).read_text(encoding="utf-8") == before
