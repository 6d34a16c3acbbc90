"""Files of the repository that the pages link to, but that lie beside docs/: they become part of the site."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.utils import is_markdown_file

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COPIED = "repository"  # the folder of the site that they go to
ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):<code>[~.]*([\w.]+)")
FENCE = re.compile(r"^(```\w+) [^\n`]*$", re.M)  # with words for the tests, which the renderer does not know
LINK = re.compile(r"(\]\()([^)#\s:]+)")  # of Markdown, to a path


def on_files(files: Files, config: Any) -> Files:
    """Add every file outside docs/ that a page links to, and what these link to in turn."""
    waiting = [path for page in DOCS.rglob("*.md") for path in linked(page)]
    while waiting:
        path = waiting.pop()
        uri = f"{COPIED}/{path.relative_to(ROOT).as_posix()}"
        if path.is_relative_to(DOCS) or not path.is_file() or files.get_file_from_path(uri):
            continue
        files.append(File.generated(config, uri, abs_src_path=str(path)))
        if is_markdown_file(path.name):
            waiting += linked(path)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point the links at where their files are in the site, and leave the language alone on each block."""
    source = Path(page.file.abs_src_path)

    def moved(link: re.Match[str]) -> str:
        path = Path(os.path.normpath(source.parent / link[2]))
        if not path.is_relative_to(ROOT):
            return link[0]
        uri = path.relative_to(DOCS if path.is_relative_to(DOCS) else ROOT).as_posix()
        if not path.is_relative_to(DOCS):
            uri = f"{COPIED}/{uri}"
        here = Path(page.file.src_uri).parent
        return f"{link[1]}{Path(os.path.relpath(uri, here)).as_posix()}"

    return LINK.sub(moved, FENCE.sub(r"\1", markdown))


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """Take the roles of reStructuredText off the names that docstrings mention."""
    return ROLE.sub(lambda role: f"<code>{role[1].rpartition('.')[2]}", html)


def on_post_build(config: Any) -> None:
    """Take away the page for wrong addresses: its links begin at the root of a host, which no folder is."""
    (Path(config.site_dir) / "404.html").unlink()


def linked(page: Path) -> list[Path]:
    """The paths that a page links to."""
    text = page.read_text(encoding="utf-8")
    return [Path(os.path.normpath(page.parent / link[2])) for link in LINK.finditer(text)]
