"""Pages that people keep: one file each, with nothing to load and nothing to run; whatever foreigners wrote is text."""

from __future__ import annotations

from typing import Any

from bridge.pages.words import duration, grouped, size

_MOST_ROWS = 2_000


def page(name: str, **values: Any) -> str:  # Any: whatever the template shows
    """Return a page made of a template of this package."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("bridge.pages", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(grouped=grouped, size=size, duration=duration)
    return templates.get_template(f"{name}.html").render(most=_MOST_ROWS, **values)
