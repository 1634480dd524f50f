from __future__ import annotations

from pathlib import Path

import pytest

from release.pages import expand, fetched, folder_page, linked, origin_of, relink, site_path

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("README.md", "LICENSE", "docs/a.md", "docs/adr/README.md", "docs/adr/0001.md", "models/net/CARD.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# A page\n", encoding="utf-8")
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "one.py").write_text("print(1)\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("origin", ["README.md", "docs/a.md", "docs/adr/README.md", "models/net/CARD.md", "LICENSE"])
def test_a_page_is_found_again_from_where_it_lies(root: Path, origin: str) -> None:
    assert origin_of(site_path(origin, root), root) == origin


@pytest.mark.parametrize(
    ("origin", "written", "on_the_site"),
    [
        ("README.md", "[x](docs/a.md)", "[x](a.md)"),
        ("README.md", "[x](docs/adr)", "[x](adr/README.md)"),
        ("README.md", "[x](examples)", "[x](examples/index.md)"),
        ("docs/a.md", "[x](../models/net/CARD.md#part)", "[x](models/net/CARD.md#part)"),
        ("docs/adr/0001.md", "[x](../../README.md)", "[x](../index.md)"),
        ("models/net/CARD.md", "![x](../../docs/a.md)", "![x](../../a.md)"),
        ("docs/a.md", "[x](https://example.org/docs/a.md)", "[x](https://example.org/docs/a.md)"),
        ("docs/a.md", "[x](#part)", "[x](#part)"),
        ("docs/a.md", "[x](missing.md)", "[x](missing.md)"),
        ("docs/a.md", "```\n[x](../README.md)\n```\n[x](../README.md)", "```\n[x](../README.md)\n```\n[x](index.md)"),
    ],
)
def test_links_lead_where_the_page_lies_on_the_site(root: Path, origin: str, written: str, on_the_site: str) -> None:
    assert relink(written, origin, root) == on_the_site


def test_the_links_of_a_document_are_listed_as_paths_of_the_repository() -> None:
    text = (
        "[a](a.md) [b](../models/net/CARD.md#x) ![c](../c.png)\n```\n[d](d.md)\n```\n[e](https://example.org) [f](#f)"
    )
    assert linked(text, "docs/b.md") == ["docs/a.md", "models/net/CARD.md", "c.png"]


def test_a_folder_is_a_page_of_its_scripts(root: Path) -> None:
    assert folder_page(root / "examples") == "# Examples\n\n## one.py\n\n```python\nprint(1)\n```\n"


def test_a_star_in_the_navigation_names_all_pages_the_readme_first(root: Path) -> None:
    nav = [{"Start": "index.md"}, {"More": [{"Decisions": "docs/adr/*.md"}]}]
    assert expand(nav, root) == [{"Start": "index.md"}, {"More": [{"Decisions": ["adr/README.md", "adr/0001.md"]}]}]
    with pytest.raises(ValueError, match="nothing matches"):
        expand([{"More": "docs/none/*.md"}], root)


@pytest.mark.parametrize(
    "html",
    [
        '<script async src="https://cdn.example.org/a.js"></script>',
        '<link href="//fonts.example.org/css" rel="stylesheet">',
        "<img alt=x src=https://example.org/a.png>",
        "@import 'https://example.org/a.css';",
        "body{background:url(https://example.org/a.png)}",
    ],
)
def test_what_a_page_would_fetch_from_elsewhere_is_found(html: str) -> None:
    assert len(fetched(html)) == 1


def test_a_link_that_a_reader_follows_is_nothing_fetched() -> None:
    assert (
        fetched('<a href="https://example.org">x</a><img src="a.png"><link rel="canonical" href="https://x.y">') == []
    )


def test_every_link_of_the_repository_s_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("models/**/*.md")]
    links = [
        (page.relative_to(ROOT).as_posix(), target)
        for page in pages
        for target in linked(page.read_text(encoding="utf-8"), page.relative_to(ROOT).as_posix())
    ]
    assert len(links) > 40
    assert [(origin, target) for origin, target in links if not (ROOT / target).exists()] == []
