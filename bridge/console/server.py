"""The console on its listener: who is signed in sees pages and sends forms, everybody else is asked to sign in.

Promises: nothing is shown or done without a session, and nothing done without the token that its own pages carry; a
form that another site sends changes nothing. What is done is answered with a redirect, so that loading anew repeats
nothing. Live figures end with the session, and with the bridge.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from bridge.administration import papers
from bridge.administration.acting import Actor
from bridge.console.acts import ACTS, back_from
from bridge.console.records import Records
from bridge.console.rendering import Notice, Pages
from bridge.console.signing import SIGN_IN, is_ours
from bridge.console.views import Views
from bridge.errors import BridgeError, Declined
from bridge.http import posted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.administration.guesses import Guesses
    from bridge.administration.office import Office
    from bridge.console.signing import Signing
    from bridge.console.views import Values
    from bridge.store.sign_ins import Session

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
    Shown = Callable[[web.Request, Session], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)

_EVERY = 2.0
_MOST_NOTICES = 1_000
_NOT_OURS = "This form is too old, or was not made by the console: go back, load the page anew and try again."


class Console:
    """Serves pages and forms."""

    def __init__(self, office: Office, signing: Signing, guesses: Guesses) -> None:
        self._office = office
        self._signing = signing
        self._guesses = guesses
        self._views = Views(office)
        self._records = Records(office)
        self._pages = Pages()
        self._notices: OrderedDict[str, Notice] = OrderedDict()
        """What the next page says to each session, by its form token."""
        self._stop = asyncio.Event()

    def mount(self, app: web.Application) -> None:
        """Add the console to a listener's application; whatever that does not serve yet is the console's."""
        get = {
            "/": ("overview", "Overview", lambda _: self._views.overview()),
            "/portals": ("portals", "Portals", self._views.portals),
            "/people": ("people", "People", self._views.people),
            "/imports": ("imports", "Imports", self._views.imports),
            "/papers": ("papers", "Plans and reports", self._records.papers),
            "/moves": ("moves", "Moves to Matrix", self._records.moves),
            "/moves/plan": ("move_plan", "Plan of a move", self._records.move_plan),
            "/parked": ("parked", "Parked messages", self._views.parked),
            "/held": ("held", "Held messages", self._views.held),
            "/audit": ("audit", "Audit log", self._views.audit),
            "/settings": ("settings", "Settings", self._settings),
            "/leaving": ("leaving", "What leaves this house", self._records.leaving),
        }
        for path, (name, title, values) in get.items():
            app.router.add_get(path, self._signed_in(self._shown(name, title, values)))
        app.router.add_get(r"/parked/{number:[0-9]{1,18}}", self._signed_in(self._parked_one))
        app.router.add_get(r"/held/{number:[0-9]{1,18}}", self._signed_in(self._held_one))
        app.router.add_get(r"/papers/{number:[0-9]{1,18}}", self._signed_in(self._paper))
        app.router.add_get("/live", self._signed_in(self._live))
        for path in ACTS:
            app.router.add_post(path, self._signed_in(self._acted))
        app.router.add_get(SIGN_IN, self._ask_to_sign_in)
        app.router.add_post(SIGN_IN, self._sign_in)
        app.router.add_post("/sign-out", self._signed_in(self._sign_out))
        app.router.add_route("*", "/{nothing:.*}", self._nothing)
        app.on_shutdown.append(self._end)

    async def _end(self, _: web.Application) -> None:
        self._stop.set()

    # --- who asks

    def _signed_in(self, handler: Shown) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                session = await self._signing.session(request)
                if session is None:
                    return self._to(SIGN_IN)
                if request.method == "POST" and not is_ours(session, (await posted(request)).get("form_token")):
                    log.warning("console: a form without its token, from %s", request.remote)
                    actor = self._actor(request, session)
                    await self._office.store.database.commit(actor.refused(request.path, "foreign_form"))
                    return self._pages.page("nothing", "Nothing was done", session, status=403, words=_NOT_OURS)
                return await handler(request, session)
            except BridgeError as error:
                status = 404 if isinstance(error, Declined) else 503
                return self._pages.page("nothing", "This cannot be shown", None, status=status, words=str(error))

        return handle

    async def _ask_to_sign_in(self, request: web.Request) -> web.Response:
        return self._pages.page("sign_in", "Sign in", None, link=request.query.get("link", ""))

    async def _sign_in(self, request: web.Request) -> web.Response:
        if seconds := self._guesses.wait(request.remote):
            words = f"Too many links from your address did not work: none is looked at for {seconds} seconds."
            response = self._asking(Notice(words, is_good=False), 429)
            response.headers["Retry-After"] = str(seconds)
            return response
        link = (await posted(request)).get("link", "")
        signed_in = await self._signing.sign_in(request, link if isinstance(link, str) else "")
        if signed_in is None:
            log.warning("console: a link that does not work, from %s", request.remote)
            await self._guesses.wrong("console", request.remote, SIGN_IN, "unknown_link")
            words = "This link was used already, or is too old: ask the bot for another one."
            return self._asking(Notice(words, is_good=False), 403)
        return self._pages.guarded(signed_in)

    def _asking(self, said: Notice, status: int) -> web.Response:
        return self._pages.page("sign_in", "Sign in", None, said=said, status=status, link="")

    async def _sign_out(self, request: web.Request, session: Session) -> web.Response:
        return self._pages.guarded(await self._signing.sign_out(request))

    # --- pages

    def _shown(self, name: str, title: str, values: Callable[..., Awaitable[Values]]) -> Shown:
        async def show(request: web.Request, session: Session) -> web.Response:
            said = self._notices.pop(session.form_token, None)
            shown = await values(request.query)
            return self._pages.page(name, title, session, said=said, is_live=name == "overview", **shown)

        return show

    async def _settings(self, _: object) -> Values:
        return self._views.settings()

    async def _parked_one(self, request: web.Request, session: Session) -> web.Response:
        number = int(request.match_info["number"])
        shown = await self._views.parked_one(number, self._actor(request, session))
        return self._pages.page("parked_one", f"Parked message {number}", session, **shown)

    async def _held_one(self, request: web.Request, session: Session) -> web.Response:
        number = int(request.match_info["number"])
        shown = await self._views.held_one(number, self._actor(request, session))
        return self._pages.page("held_one", f"Held message {number}", session, **shown)

    async def _paper(self, request: web.Request, session: Session) -> web.Response:
        number = int(request.match_info["number"])
        _, text = await papers.read(self._office.store, number, self._actor(request, session))
        return self._pages.paper(text)

    async def _nothing(self, _: web.Request) -> web.Response:
        words = "There is nothing at this address."
        return self._pages.page("nothing", "Nothing here", None, status=404, words=words)

    async def _live(self, request: web.Request, session: Session) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        try:
            while not self._stop.is_set() and await self._signing.session(request) is not None:
                figures = orjson.dumps(await self._views.live()).decode()
                await response.write(f"data: {figures}\n\n".encode())
                try:
                    async with asyncio.timeout(_EVERY):
                        await self._stop.wait()
                except TimeoutError:
                    continue
        except (BridgeError, ConnectionResetError) as error:
            log.debug("console: live figures end: %s", error)
        return response

    # --- forms

    async def _acted(self, request: web.Request, session: Session) -> web.Response:
        form = {name: value for name, value in (await posted(request)).items() if isinstance(value, str)}
        actor = self._actor(request, session)
        try:
            notice = Notice(await ACTS[request.path](self._office, actor, form))
        except BridgeError as error:
            notice = Notice(str(error), is_good=False)
            if isinstance(error, Declined):
                await self._office.store.database.commit(actor.refused(request.path, error.code))
        self._notices[session.form_token] = notice
        while len(self._notices) > _MOST_NOTICES:
            self._notices.popitem(last=False)
        return self._to(back_from(request.path))

    def _to(self, path: str) -> web.Response:
        return self._pages.guarded(web.Response(status=303, headers={"Location": path}))

    def _actor(self, request: web.Request, session: Session) -> Actor:
        return Actor(session.user, f"console, {request.remote}")
