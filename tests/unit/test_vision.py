"""What Roadside offers to those who train and measure models; import-linter holds that they use nothing else of it."""

from __future__ import annotations

from roadside import vision


def test_everything_that_is_named_is_there_and_explained() -> None:
    assert vision.__doc__ is not None
    for name in vision.__all__:
        assert hasattr(vision, name)
        assert f"`{name}`" in vision.__doc__, f"{name} is not explained"
