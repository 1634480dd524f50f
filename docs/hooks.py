"""Hooks of MkDocs: pages that lie outside of docs/ take part, and navigation entries with a `*` name all that match."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File, Files, InclusionLevel

from release.pages import expand, folder_page, linked, origin_of, relink, site_path

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
ALWAYS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Writes out the `*` of navigation entries."""
    nav: list[Any] = config.nav or []
    config.nav = expand(nav, ROOT)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what documents link to outside of docs/: Markdown as pages, folders as lists, the rest as it is."""
    waiting = [*ALWAYS, *(origin_of(page.src_uri, ROOT) for page in files.documentation_pages())]
    waiting += [str(card.relative_to(ROOT)) for card in ROOT.glob("models/shipped/**/*_CARD.md")]
    seen: set[str] = set()
    while waiting:
        origin = waiting.pop()
        if origin in seen:
            continue
        seen.add(origin)
        uri = site_path(origin, ROOT)
        if files.get_file_from_path(uri) is None:
            files.append(_file(origin, uri, config))
        if (ROOT / origin).suffix == ".md":
            targets = linked((ROOT / origin).read_text(encoding="utf-8"), origin)
            waiting += [target for target in targets if (ROOT / target).exists() and not target.startswith("..")]
    return files


def _file(origin: str, uri: str, config: MkDocsConfig) -> File:
    path = ROOT / origin
    if path.is_dir():
        return File.generated(config, uri, content=folder_page(path), inclusion=InclusionLevel.NOT_IN_NAV)
    return File.generated(config, uri, abs_src_path=str(path), inclusion=InclusionLevel.NOT_IN_NAV)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs names them
    """Turns links between files of the repository into links between pages."""
    return relink(markdown, origin_of(page.file.src_uri, ROOT), ROOT)
