"""What the images are built of is there, and not kept from the builder."""

from __future__ import annotations

from pathlib import Path

import pytest

from roadside.assembly.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]


def copied(dockerfile: str) -> list[str]:
    """What the file copies out of the build context."""
    lines = (ROOT / "docker" / dockerfile).read_text().splitlines()
    words = [line.split()[1:] for line in lines if line.startswith("COPY ")]
    taken = [
        [word for word in line if not word.startswith("--")][:-1] for line in words if "--from" not in " ".join(line)
    ]
    return [source for line in taken for source in line]


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "Dockerfile.parts"])
def test_what_is_copied_is_in_the_build_context(dockerfile: str) -> None:
    sources = copied(dockerfile)
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(Path(source) == Path(each) or Path(each) in Path(source).parents for each in ALLOWED), source


@pytest.mark.parametrize("image", ["detector", "roadside"])
def test_both_qualities_of_the_detector_are_in_the_images_that_find_plates(image: str) -> None:
    _, _, stage = (ROOT / "docker" / "Dockerfile").read_text().partition(f"FROM common AS {image}\n")
    lines = stage.partition("\nFROM ")[0]
    for part in ("detector", "photographs"):
        assert f"COPY --from=packages /parts/{part} " in lines, part


def test_the_images_have_every_net_that_a_service_loads_by_itself() -> None:
    settings = Settings()
    folders = {settings.modeldir, settings.reader_modeldir, settings.second_modeldir, settings.tessdata}
    prune = (ROOT / "docker" / "prune").read_text()
    for name in {folder.name for folder in folders}:
        assert f'"$own/{name}"' in prune, name
