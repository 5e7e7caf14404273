"""The documentation names all that is public, and its links are checked."""

import importlib
import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
OF_MODULES = (
    "space default_spaces samplers racing diagnostics displays report tracking schedule ensemble "
    "steppers exceptions"
)
PUBLIC_MODULES = ["sklearn_hpt", *(f"sklearn_hpt.{name}" for name in OF_MODULES.split())]
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="an sdist has no documentation")


def listed():
    """Return what the reference lists, as (module, name)."""
    module, found = None, set()
    for line in (DOCS / "api" / "index.rst").read_text().splitlines():
        if line.startswith(".. currentmodule:: "):
            module = line.split()[-1]
        elif re.fullmatch(r"   \w+", line):
            found.add((module, line.strip()))
    return found


def test_the_reference_lists_all_that_is_public():
    is_listed = {getattr(importlib.import_module(m), name) for m, name in listed()}
    for module in map(importlib.import_module, PUBLIC_MODULES):
        for name in module.__all__:
            assert name == "__version__" or getattr(module, name) in is_listed, name


def test_every_page_is_in_the_contents():
    contents = {"index"}
    for page in ("index", "guide", "migration"):
        for block in re.findall(r"```{toctree}\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.S):
            contents |= {line for line in block.split() if not line.startswith(":")}
    assert {path.stem for path in DOCS.glob("*.md")} <= contents


@pytest.fixture
def broken_links(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    yield importlib.import_module("check_links").broken_links
    sys.modules.pop("check_links")


def test_links_that_lead_somewhere_are_left_alone(broken_links, tmp_path):
    (tmp_path / "two words.html").write_text('<h1 id="top">x</h1><a name="old"></a>')
    (tmp_path / "picture.png").touch()
    (tmp_path / "index.html").write_text(
        '<a href="two%20words.html#top"></a><a href="two%20words.html#old"></a><a href="#here"></a>'
        '<p id="here"><img src="picture.png"><a href="https://example.org/none"></a>'
    )
    assert list(broken_links(tmp_path)) == []


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("none.html", "no such file"),
        ("../none.png", "no such file"),
        ("#none", "no such place"),
        ("index.html#none", "no such place"),
    ],
)
def test_links_that_lead_nowhere_are_named(broken_links, tmp_path, link, complaint):
    (tmp_path / "index.html").write_text(f'<a href="{link}">x</a>')
    (found,) = broken_links(tmp_path)
    assert found.startswith(f"index.html: {link}: {complaint}")
