"""The style of each country's plates: sizes in mm, faces, colours, bands, seals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Colour = tuple[int, int, int]
"""Blue, green, red."""

PAPERS: dict[str, Colour] = {
    "white": (232, 234, 232),
    "uk_yellow": (20, 190, 248),
    "nl_yellow": (25, 175, 245),
    "lu_yellow": (30, 205, 250),
    "black": (30, 28, 28),
    "green": (70, 140, 40),
    "mint": (170, 215, 150),
    "blue": (150, 80, 30),
    "red": (40, 30, 170),
    "silver": (175, 180, 180),
    "orange": (30, 120, 240),
    "pale_green": (190, 225, 205),
}
INKS: dict[str, Colour] = {
    "black": (32, 30, 30),
    "blue_black": (60, 38, 30),
    "red": (50, 35, 165),
    "green": (60, 110, 30),
    "blue": (130, 60, 30),
    "white": (225, 225, 225),
    "silver": (190, 192, 192),
    "yellow": (40, 200, 245),
}


@dataclass(frozen=True, slots=True)
class PlateStyle:
    """One country's plate."""

    faces: Mapping[str, float]
    """Faces of models.synth.glyphs by share."""
    schemes: Mapping[tuple[str, str], float] = field(default_factory=lambda: {("white", "black"): 1.0})
    """Paper and ink by share."""
    size_mm: tuple[float, float] = (520, 112)
    square_mm: tuple[float, float] = (300, 200)
    char_mm: float = 76
    gap_mm: float = 9
    group_mm: float = 24
    band: float = 0.85
    """Share of plates with a coloured band at the left."""
    right_band: float = 0.0
    code: str = ""
    """Letters in the band."""
    seal: str = ""
    """The kind of seal that stands at a seal joint."""
    seal_mm: float = 46
    stretch: float = 0.7
    """Share of plates whose characters are spread to fill the plate."""
    embossed: float = 0.9
    border: float = 0.8
    """Share of plates with a printed border in the ink's colour."""
    edge_lines: float = 0.0
    """Share of plates with two thin red lines along the upper edge and along the lower one."""
    shields: bool = False
    """Whether coats of arms stand where others have bands, at both ends."""


_EU = PlateStyle({"din": 4, "din_flat": 2, "road_c": 1, "barlow": 1, "osp_din": 1})
_UK = PlateStyle(
    {"uk": 68, "uk_bold": 6, "uk_old": 13, "uk_square": 6, "road_d": 2, "road_e": 3, "din": 2},
    {("white", "black"): 0.48, ("uk_yellow", "black"): 0.48, ("black", "silver"): 0.04},
    square_mm=(285, 203), char_mm=79, gap_mm=11, group_mm=33, band=0.4, code="GB", embossed=0.0, border=0.3,
                  stretch=0.05,
)  # fmt: skip

STYLES: dict[str, PlateStyle] = {
    "UK": _UK,
    "CZ": replace(_EU, faces={"cz": 8, "din": 1, "din_flat": 0.5}, code="CZ", seal="cz", char_mm=78, gap_mm=11,
                  seal_mm=52,
                  schemes={("white", "black"): 0.97, ("uk_yellow", "black"): 0.015, ("white", "green"): 0.015}),
    "SK": replace(_EU, faces={"sk": 6, "din": 2, "din_flat": 1, "cz": 1}, code="SK", seal="crest", char_mm=78,
                  seal_mm=40),
    "DE": replace(_EU, faces={"fe": 8, "fe_narrow": 2, "osp_din": 1, "din": 1}, code="D", seal="de", char_mm=75,
                  gap_mm=8,
                  group_mm=22, schemes={("white", "black"): 0.97, ("white", "green"): 0.03}),
    "PL": replace(_EU, faces={"pl": 8, "din": 1, "road_c": 0.5}, code="PL", seal="pl", char_mm=80, gap_mm=10,
                  seal_mm=34,
                  schemes={("white", "black"): 0.92, ("mint", "black"): 0.04, ("black", "white"): 0.02,
                  ("white", "red"): 0.02}),
    "AT": replace(_EU, faces={"din": 4, "osp_din": 2, "cz": 2}, code="A", seal="crest", char_mm=67, size_mm=(520,
                  120), border=0.1, edge_lines=0.9),
    "NL": replace(_EU, faces={"nl": 6, "din": 1, "road_c": 1},
                  schemes={("nl_yellow", "black"): 0.97, ("blue", "white"): 0.03},
                  code="NL", char_mm=77, gap_mm=11),
    "FR": replace(_EU, faces={"fr": 5, "din": 2, "road_d": 1, "barlow": 1}, code="F", right_band=0.7, char_mm=77,
                  gap_mm=10,
                  schemes={("white", "black"): 0.8, ("uk_yellow", "black"): 0.14, ("black", "silver"): 0.06},
                  embossed=0.4, border=0.1),
    "ES": replace(_EU, faces={"es": 5, "din_flat": 2, "pl": 1}, code="E", char_mm=77, gap_mm=10),
    "IT": replace(_EU, faces={"it": 5, "din": 2, "nordic": 1}, code="I", right_band=0.9, char_mm=76, gap_mm=8,
                  border=0.1),
    "HU": replace(_EU, faces={"hu": 8, "pl": 1, "din_flat": 0.5}, code="H", seal="crest", char_mm=75, stretch=0.97,
                  seal_mm=36),
    "RO": replace(_EU, faces={"din": 3, "din_flat": 2, "cz": 1, "nl": 1}, code="RO", char_mm=76),
    "HR": replace(_EU, faces={"din": 3, "pl": 2, "fr": 1}, code="HR", band=0.5, seal="checker", char_mm=76),
    "SI": replace(_EU, faces={"din": 3, "nordic": 1}, code="SLO", seal="crest",
                  schemes={("white", "black"): 0.8, ("white", "green"): 0.2}),
    "IE": replace(_EU, faces={"uk": 4, "uk_old": 1, "din": 1}, code="IRL", char_mm=70, embossed=0.3),
    "BE": replace(_EU, faces={"be": 5, "din": 2, "nordic": 1}, code="B",
                  schemes={("white", "red"): 0.95, ("red", "white"): 0.05}),
    "PT": replace(_EU, faces={"din": 3, "nordic": 1, "road_c": 1}, code="P", char_mm=74, embossed=0.5),
    "DK": replace(_EU, faces={"din": 3, "nordic": 1}, code="DK", band=0.6,
                  schemes={("white", "black"): 0.9, ("uk_yellow", "black"): 0.1}),
    "SE": replace(_EU, faces={"nordic": 3, "din": 1, "road_c": 1}, code="S", char_mm=78),
    "NO": replace(_EU, faces={"nordic": 3, "din": 1}, code="N", band=0.6,
                  schemes={("white", "black"): 0.85, ("green", "black"): 0.1, ("black", "yellow"): 0.05}),
    "FI": replace(_EU, faces={"nordic": 2, "din": 2, "osp_din": 1}, code="FIN", size_mm=(442, 118), char_mm=80),
    "CH": replace(_EU, faces={"din": 2, "nordic": 2, "barlow": 1}, band=0.7, seal_mm=40, size_mm=(500, 110), char_mm=74,
                  shields=True),
    "LT": replace(_EU, faces={"din": 3, "fe": 1}, code="LT", seal="pl"),
    "LV": replace(_EU, faces={"din": 3, "be": 1, "nordic": 1}, code="LV"),
    "EE": replace(_EU, faces={"nordic": 2, "din": 2}, code="EST"),
    "BG": replace(_EU, faces={"din": 3, "din_flat": 1}, code="BG"),
    "UA": replace(_EU, faces={"din": 3, "pl": 1}, code="UA"),
    "GR": replace(_EU, faces={"din": 3, "fr": 1, "osp_din": 1}, code="GR", band=0.6),
    "LU": replace(_EU, faces={"din": 2, "be": 1, "road_c": 1}, code="L", schemes={("lu_yellow", "black"): 1.0}),
    "RS": replace(_EU, faces={"din": 3, "pl": 1}, code="SRB", seal="crest"),
    "TR": replace(_EU, faces={"din": 3, "nordic": 1}, code="TR"),
    "US": PlateStyle({"road_b": 2, "road_c": 2, "din": 1, "barlow": 2},
               {("white", "blue"): 0.4, ("white", "black"): 0.25, ("mint", "green"): 0.1, ("lu_yellow",
                  "blue"): 0.1, ("black", "yellow"): 0.1,
                ("white",
                  "red"): 0.05}, size_mm=(305, 152), square_mm=(305, 170), char_mm=72, gap_mm=7, group_mm=18,
                  band=0.0, border=0.4),
    "XX": PlateStyle({"din": 3, "uk": 3, "road_b": 1, "road_c": 1, "road_d": 1, "barlow": 1, "osp_din": 1, "fe": 1,
                  "be": 1},
               {("white", "black"): 0.7, ("uk_yellow", "black"): 0.12, ("black", "white"): 0.06, ("blue",
                  "white"): 0.04, ("red", "white"): 0.03,
                ("green", "white"): 0.03, ("silver", "black"): 0.02}, band=0.3, border=0.5),
}  # fmt: skip
