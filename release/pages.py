"""Files of the repository as pages of the documentation: where each lies, what it links to, what it would fetch.

An *origin* is a file's path under the repository's root, such as `docs/verdict.md`; a *site path* is where MkDocs
sees it.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(\]\()(?![a-z]+:|#|/)([^)\s#]+)((?:#[^)\s]*)?\))")
_FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video)\b[^>]*\ssrc=[\"']?((?:https?:)?//[^\"'\s>]+)"
    r"|<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|icon|preload|modulepreload))[^>]*\shref=[\"']?((?:https?:)?//[^\"'\s>]+)"
    r"|(?:@import\s+|url\()[\"']?((?:https?:)?//[^\"')\s]+)",
    re.IGNORECASE,
)


def site_path(origin: str, root: Path) -> str:
    """Where MkDocs sees a file: docs/ is its root, README.md its first page, and a folder is a page of its own."""
    if origin == "README.md":
        return "index.md"
    if (root / origin).is_dir():
        origin += "/README.md" if (root / origin / "README.md").exists() else "/index.md"
    return origin.removeprefix("docs/")


def origin_of(uri: str, root: Path) -> str:
    """The file of the repository that MkDocs sees as `uri`, the inverse of `site_path`."""
    if (root / "docs" / uri).exists():
        return f"docs/{uri}"
    return "README.md" if uri == "index.md" else uri


def linked(markdown: str, origin: str) -> list[str]:
    """The origins that a document links to, in its order, whether they exist or not."""
    return [_target(match[2], origin) for text in _prose(markdown) for match in _LINK.finditer(text)]


def relink(markdown: str, origin: str, root: Path) -> str:
    """The document with its links between files of the repository turned into links between site paths.

    A link to nothing stays as it is, so that a strict build tells of it.
    """

    def replaced(match: re.Match[str]) -> str:
        target = _target(match[2], origin)
        if not (root / target).exists() or target.startswith(".."):
            return match[0]
        return match[1] + posixpath.relpath(site_path(target, root), posixpath.dirname(here) or ".") + match[3]

    here = site_path(origin, root)
    return _outside_fences(markdown, lambda text: _LINK.sub(replaced, text))


def folder_page(folder: Path) -> str:
    """A page that shows the Python files of a folder, each with the code it holds."""
    scripts = sorted(folder.glob("*.py"))
    parts = [f"## {path.name}\n\n```python\n{path.read_text(encoding='utf-8').rstrip()}\n```\n" for path in scripts]
    return f"# {folder.name.capitalize()}\n\n" + "\n".join(parts)


def expand(nav: Sequence[Any], root: Path) -> list[Any]:
    """The navigation with every `*` written out: a value that is a glob of origins becomes the list of its pages."""
    return [_expanded(entry, root) for entry in nav]


def _expanded(entry: Any, root: Path) -> Any:  # noqa: ANN401 - the navigation is YAML
    if isinstance(entry, dict):
        return {title: _expanded(value, root) for title, value in entry.items()}
    if isinstance(entry, list):
        return expand(entry, root)
    if "*" not in entry:
        return entry
    paths = sorted(root.glob(entry), key=lambda path: (path.name != "README.md", path))
    found = [path.relative_to(root).as_posix() for path in paths]
    if not found:
        raise ValueError(f"mkdocs.yml: nothing matches {entry!r} of the navigation")
    return [site_path(origin, root) for origin in found]


def fetched(html: str) -> list[str]:
    """The addresses from which a page or style sheet would fetch something as it is opened."""
    return [address for groups in _FETCHED.findall(html) for address in groups if address]


def _target(destination: str, origin: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), destination))


def _prose(markdown: str) -> Iterator[str]:
    end = 0
    for fence in _FENCE.finditer(markdown):
        yield markdown[end : fence.start()]
        end = fence.end()
    yield markdown[end:]


def _outside_fences(markdown: str, change: Callable[[str], str]) -> str:
    fences = [match[0] for match in _FENCE.finditer(markdown)] + [""]
    return "".join(change(text) + fence for text, fence in zip(_prose(markdown), fences, strict=True))


def main(arguments: Sequence[str]) -> int:
    """Tells what the pages of a built site would fetch from elsewhere; the exit status is 1 if there is anything."""
    site = Path(arguments[0])
    pages = [path for path in site.rglob("*") if path.suffix in {".html", ".css"}]
    faults = [(path, address) for path in pages for address in fetched(path.read_text(encoding="utf-8"))]
    for path, address in faults:
        print(f"docs-site: {path} fetches {address}: pages must hold all they need", file=sys.stderr)
    if not pages:
        print(f"docs-site: no pages in {site}", file=sys.stderr)
    return 1 if faults or not pages else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
