"""Pages are made of templates; everything in them is escaped, and nothing is loaded or run but what is in them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from bridge.administration.times import age, moment

if TYPE_CHECKING:
    from bridge.store.sign_ins import Session

PAGES = (
    ("/", "Overview"),
    ("/portals", "Portals"),
    ("/people", "People"),
    ("/imports", "Imports"),
    ("/papers", "Plans and reports"),
    ("/moves", "Moves to Matrix"),
    ("/parked", "Parked messages"),
    ("/held", "Held messages"),
    ("/audit", "Audit log"),
    ("/settings", "Settings"),
    ("/leaving", "What leaves this house"),
)

_OF_A_PAPER = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
"""Papers bring their own style, which no hash can name; the sandbox takes their origin away from them."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What the page says first: what was done, or why it was not."""

    words: str
    is_good: bool = True


class Pages:
    """The templates, and what every page says to the browser."""

    def __init__(self) -> None:
        here = files("bridge.console")
        look, live = (here.joinpath(name).read_text() for name in ("look.css", "live.js"))
        self._templates = Environment(
            loader=PackageLoader("bridge.console", "."),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(age=age, moment=moment, pages=PAGES, look=look, session=None)
        self._live = live
        self._headers = {
            "Content-Security-Policy": "; ".join(
                (
                    "default-src 'none'",
                    f"style-src '{_hash(look)}'",
                    f"script-src '{_hash(live)}'",
                    "connect-src 'self'",
                    "form-action 'self'",
                    "base-uri 'none'",
                    "frame-ancestors 'none'",
                )
            ),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    def page(
        self,
        name: str,
        title: str,
        session: Session | None,
        *,
        said: Notice | None = None,
        is_live: bool = False,
        status: int = 200,
        **values: Any,  # Any: whatever the template shows
    ) -> web.Response:
        """Return a page made of a template."""
        here = next((path for path, word in PAGES if word == title), "")
        text = self._templates.get_template(f"{name}.html").render(
            title=title, session=session, here=here, said=said, live=self._live if is_live else "", **values
        )
        return self.guarded(web.Response(text=text, content_type="text/html", status=status))

    def paper(self, text: str) -> web.Response:
        """Return a page that a command made: it may be looked at, but neither run nor load nor send anything."""
        response = self.guarded(web.Response(text=text, content_type="text/html"))
        response.headers["Content-Security-Policy"] = _OF_A_PAPER
        return response

    def guarded(self, response: web.Response) -> web.Response:
        """Have an answer tell the browser what it may do with it: nothing but show it."""
        response.headers.update(self._headers)
        return response


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
