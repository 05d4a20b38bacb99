"""Hooks of the MkDocs build: generated pages, and links between them."""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import adamjax  # noqa: E402
from scripts.site import api, notebooks, pictures, sources, variants  # noqa: E402

_VARIANTS = [f"variants/{name}.md" for name in adamjax.list_variants()]
# A search for a name finds its title in the reference. For other words, guides are better results.
_BOOSTS = {"how-to.md": 2.0, "quickstart.md": 1.5, "sharding.md": 1.5, "storage.md": 1.5}
_REFERENCE = 0.5
_PICTURE = re.compile(r"(?<!\[)!\[[^\]]*\]\(([^)\s]+)\)")


def root_of(config: MkDocsConfig) -> Path:
    """Where mkdocs.yml is."""
    return Path(config.config_file_path).parent


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the generated pages behind the first of their sections, and links the repository.

    In the footer, and not as `repo_url`: of that the theme asks the host for stars, over the net.
    """
    project = tomllib.loads((root_of(config) / "pyproject.toml").read_text("utf-8"))["project"]
    if address := project.get("urls", {}).get("Repository"):
        link = {"icon": "fontawesome/brands/git-alt", "link": address, "name": "Repository"}
        config.extra["social"] = [link]
    behind = {"Variants": _VARIANTS, "API": [f"api/{part}.md" for part in api.TITLES]}
    for section in config.nav or []:
        for title, pages in section.items():
            pages.extend(behind.get(title, []))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages and pictures that are not in docs/."""
    root = root_of(config)
    texts = {page: (root / file).read_text("utf-8") for file, page in sources.PAGES.items()}
    texts |= api.pages()
    for name in adamjax.list_variants():
        texts[f"variants/{name}.md"] = variants.page(name)
        picture = str(pictures.picture(name).file)
        files.append(File.generated(config, f"variants/{name}.png", abs_src_path=picture))
    for name in notebooks.NAMES:
        texts[f"notebooks/{name}.md"], drawn = notebooks.page(name)
        for file in drawn:
            files.append(File.generated(config, f"notebooks/{file.name}", abs_src_path=str(file)))
    for page, text in texts.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(
    markdown: str, *, page: Page, config: MkDocsConfig, files: Files, **_: Any
) -> str:
    """Makes links lead to where files are on the site, and ranks the page in searches.

    A picture leads to itself in full size.
    """
    markdown = _PICTURE.sub(r"[\g<0>](\1)", markdown)
    address = page.file.src_uri
    reference = address.startswith(("api/", "variants/"))
    page.meta["search"] = {"boost": _REFERENCE if reference else _BOOSTS.get(address, 1.0)}
    if reference or address.startswith("notebooks/"):
        return markdown
    return sources.Links(config, files).rewritten(markdown, address)
