"""Check that what the built pages link to on this site is there: `python check_links.py FOLDER`.

Pages and files by their paths, places in pages by their ids. Links to other sites are left alone.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The ids of a page, and what it links to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is not None and (name == "id" or (tag, name) == ("a", "name")):
                self.ids.add(value)
            elif value is not None and name in ("href", "src"):
                self.links.add(value)


def broken_links(folder: Path) -> Iterator[str]:
    """Yield what is wrong, a line each."""
    found = sorted(folder.rglob("*.html"))
    is_template = [path.is_relative_to(folder / "_static") for path in found]
    pages = {p.resolve(): Page(p) for p, left in zip(found, is_template, strict=True) if not left}
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            where = f"{path.relative_to(folder.resolve())}: {link}"
            if not target.exists():
                yield f"{where}: no such file"
            elif target in pages and parts.fragment:
                if unquote(parts.fragment) not in pages[target].ids:
                    yield f"{where}: no such place in the page"


if __name__ == "__main__":
    broken = list(broken_links(Path(sys.argv[1])))
    print("\n".join(broken) or f"all links within {sys.argv[1]} lead somewhere")
    sys.exit(bool(broken))
