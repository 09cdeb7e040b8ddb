"""The templates of hanjo's pages, and the style they share: what is not given is an error, what is given is escaped."""

from __future__ import annotations

from pathlib import Path

import jinja2
from markupsafe import Markup

_HERE = Path(__file__).resolve().parent


def environment() -> jinja2.Environment:
    """The folder's templates; `style` is there for all of them."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["style"] = Markup((_HERE / "page.css").read_text(encoding="utf-8"))
    return made
