"""Brings the console's catalogues up to its texts: `make catalogs` (or with `--check` says what is missing).

Texts come from the templates, from what the code marks with `_`, `say` and `count`, and from the words of the rules.
"""

from __future__ import annotations

import io
import sys

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from roadside.console.languages import CATALOGS, LANGUAGES, SOURCE
from roadside.core.rules import all_words

CONSOLE = CATALOGS.parent
KEYWORDS = {"_": None, "say": None, "count": (1, 2)}
JINJA_KEYWORDS = ("_", "gettext", "ngettext")
PLURALS = ("ngettext", "count")


def texts() -> Catalog:
    """All that can be said, in English."""
    found = Catalog(charset="utf-8")
    for path in sorted(CONSOLE.rglob("*.py")):
        with path.open("rb") as file:
            for _, marked, _, _ in extract("python", file, KEYWORDS):
                found.add(marked)
    for path in sorted((CONSOLE / "templates").glob("*.html")):
        source = io.BytesIO(path.read_bytes())
        options = {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}
        for _, function, message, _ in babel_extract(source, JINJA_KEYWORDS, (), options):
            plain = [part for part in (message if isinstance(message, tuple) else (message,)) if part]
            found.add(tuple(plain[:2]) if function in PLURALS else plain[0])
    for words in all_words():
        found.add(words.brief)
        found.add(words.sentence)
    return found


def missing(language: str) -> list[str]:
    """What a language's catalogue does not say, or says of a text that is no more."""
    with (CATALOGS / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    wanted = {message.id: message for message in texts() if message.id}
    said = {message.id: message for message in catalog if message.id}
    faults = [f"missing: {key}" for key in wanted if key not in said]
    faults += [f"not used any more: {key}" for key in said if key not in wanted]
    for key, message in said.items():
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.fuzzy or not all(strings):
            faults.append(f"not translated: {key}")
    return faults


def main() -> int:
    """Update the catalogues, or check them."""
    languages = [language for language in LANGUAGES if language != SOURCE]
    if "--check" in sys.argv[1:]:
        faults = [f"{language}: {fault}" for language in languages for fault in missing(language)]
        print("\n".join(faults) or "every text is translated")
        return int(bool(faults))
    for language in languages:
        path = CATALOGS / f"{language}.po"
        catalog = Catalog(locale=language, charset="utf-8", fuzzy=False)
        if path.exists():
            with path.open("rb") as file:
                catalog = read_po(file, locale=language)
        catalog.update(texts(), no_fuzzy_matching=True)
        catalog.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalog, width=120, sort_output=True, ignore_obsolete=True, omit_header=False)
        print(f"{path}: {len(catalog)} texts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
