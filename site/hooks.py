"""MkDocs hooks: the site has the repository's own pages, and no page loads anything from another host."""

from __future__ import annotations

import posixpath
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
SOURCES = ("*.md", "LICENSE", ".env.example", "docs/**/*", "examples/**/*", "scripts/*.py")
"""The pages, and the files that pages link to."""
LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
"""The elements that a browser loads by itself, with the attribute that has the URL."""

_built: set[str] = set()
"""The paths of the files of the site."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the repository's pages under their paths in the repository."""
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts and "node_modules" not in path.parts:
                name = path.relative_to(ROOT).as_posix()
                files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_env(env: object, config: MkDocsConfig, files: Files) -> None:  # noqa: ARG001 - MkDocs passes them by name
    """Remember the paths of the site's files."""
    _built.clear()
    _built.update(file.dest_uri for file in files)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001 - MkDocs passes it by name
    """Refuse a page that would load something from another host, or show an image that the site does not have."""
    loads = _Loads()
    loads.feed(output)
    if loads.remote:
        raise PluginError(f"{page.file.src_uri} loads {', '.join(loads.remote)}")
    # MkDocs checks and adapts the links of Markdown, and leaves those of HTML as they are: one level off in the site.
    folder = posixpath.dirname(page.file.dest_uri)
    missing = [image for image in loads.images if posixpath.normpath(posixpath.join(folder, image)) not in _built]
    if missing:
        raise PluginError(f"{page.file.src_uri} shows {', '.join(missing)}, which is not there in the site")
    return output


class _Loads(HTMLParser):
    """Collects the addresses on other hosts that a page loads by itself, and the site's own images on it."""

    def __init__(self) -> None:
        super().__init__()
        self.remote: list[str] = []
        self.images: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(LOADING.get(tag, "")) or ""
        if address.startswith(("http:", "https:", "//")):
            self.remote.append(address)
        elif tag == "img" and address and not address.startswith(("data:", "/")):
            self.images.append(unquote(address.partition("#")[0].partition("?")[0]))
