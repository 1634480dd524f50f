"""What kind of file the pictures of the evidence are."""

from __future__ import annotations

from roadside.core.sightings import PictureKind

MEDIA_TYPES = {PictureKind.CROP: "image/png", PictureKind.FRAME: "image/jpeg", PictureKind.STRIP: "image/jpeg"}
"""As the registry's stage writes them."""
