"""The provisioning calls of mautrix bridges, for tools that know those: whose accounts are which, and joining rooms.

Shaped like version 3 of mautrix-go's bridgev2 (whoami, logins, contacts, search, resolve), and for rooms like version 1
of mautrix-telegram (portal, connect, disconnect). A token of `console.tokens` stands where those bridges have their
shared secret, and `user_id` says for whom it is shown; both must be allowed what is asked. What those bridges call a
login is here the link of a Slack account to a Matrix one. Promises: the errors of Matrix, and the same permission rules
and audit log as everywhere. Refuses: logging in by password or cookies, and chats that nobody bridged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from bridge.administration import people as people_
from bridge.administration import portals as portals_
from bridge.administration.acting import Actor
from bridge.administration.portals import Change
from bridge.api.contract import Role
from bridge.api.problems import Failed, failure_of
from bridge.api.server import LARGEST_BODY, identified
from bridge.configured import rights_from
from bridge.errors import BridgeError, Declined
from portals.commands.levels import Level
from portals.ids import MatrixUserId, SlackUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.administration.guesses import Guesses
    from bridge.administration.office import Office
    from bridge.administration.people import ShownPerson
    from bridge.observability.health import WorkspaceHealth

    Json = dict[str, Any]  # Any: whatever JSON can hold

PREFIX = "/_matrix/provision"
_MOST_CONTACTS = 10_000
_MOST_FOUND = 100
_CODES = {
    401: "M_UNKNOWN_TOKEN",
    403: "M_FORBIDDEN",
    404: "M_NOT_FOUND",
    405: "M_UNRECOGNIZED",
    409: "M_BAD_STATE",
    413: "M_TOO_LARGE",
    429: "M_LIMIT_EXCEEDED",
    501: "M_UNRECOGNIZED",
}
_KINDS = {
    "no_token": "M_MISSING_TOKEN",
    "unrecognized": "M_UNRECOGNIZED",
    "bad_json": "M_BAD_JSON",
    "missing": "M_MISSING_PARAM",
}
_LOG_IN = "nobody logs in here: people link their Slack account by writing `link` to the bridge's bot"
_NEW_CHAT = "this bridge begins no chats: it bridges channels, POST v1/portal/{room}/connect/{channel}"


@dataclass(frozen=True, slots=True)
class Login:
    """A Slack account that is linked to whoever asks."""

    team: TeamId
    user: SlackUserId

    @property
    def id(self) -> str:
        return f"{self.team}-{self.user}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: for whom it is, and who the audit log says it was."""

    request: web.Request
    user: MatrixUserId | None
    actor: Actor

    @property
    def person(self) -> MatrixUserId:
        """For whom it is asked; raises Failed where nobody was named."""
        if self.user is None:
            raise Failed(400, "missing", "say for whom: ?user_id=@name:server")
        return self.user


class Provisioning:
    """Answers those calls."""

    def __init__(self, office: Office, guesses: Guesses) -> None:
        self._office = office
        self._store = office.store
        self._guesses = guesses

    def application(self) -> web.Application:
        """Return the application to mount under `PREFIX`."""
        app = web.Application(middlewares=[_answered], client_max_size=LARGEST_BODY)
        user, admin = Role.USER, Role.ADMIN
        for method, path, role, handler in (
            ("GET", "/v3/whoami", user, self._whoami),
            ("GET", "/v3/login/flows", user, self._flows),
            ("GET", "/v3/logins", user, self._logins),
            ("POST", "/v3/logout/{login}", admin, self._logout),
            ("GET", "/v3/contacts", user, self._contacts),
            ("POST", "/v3/search_users", user, self._search),
            ("GET", "/v3/resolve_identifier/{identifier}", user, self._resolve),
            ("POST", "/v3/login/{rest:.+}", user, _unsupported(_LOG_IN)),
            ("POST", "/v3/create_dm/{identifier}", user, _unsupported(_NEW_CHAT)),
            ("POST", "/v3/create_group", user, _unsupported(_NEW_CHAT)),
            ("POST", "/v3/create_group/{kind}", user, _unsupported(_NEW_CHAT)),
            ("GET", "/v1/portal/{which}", user, self._portal),
            ("POST", "/v1/portal/{room}/connect/{channel}", admin, self._connect),
            ("POST", "/v1/portal/{room}/disconnect", admin, self._disconnect),
        ):
            app.router.add_route(method, path, self._for(role, handler))
        return app

    def _for(
        self, role: Role, handler: Callable[[Asked], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            token = await identified(request, self._office.settings.console.tokens, self._guesses)
            user = request.query.get("user_id") or None
            person = MatrixUserId(user) if user else None
            actor = Actor(user or token.name, f"provisioning by {token.name}, {request.remote}")
            resource = request.match_info.route.resource
            act = f"{request.method} {resource.canonical if resource else request.path}"
            if not (Role(token.role).allows(role) and self._may(person, role)):
                await self._store.database.commit(actor.refused(act, "forbidden"))
                words = f"this takes the role {role}, both of the token and of the person that user_id names"
                raise Failed(403, "forbidden", words)
            try:
                return await handler(Asked(request, person, actor))
            except Declined as declined:
                if request.method != "GET":
                    await self._store.database.commit(actor.refused(act, declined.code))
                raise

        return handle

    def _may(self, person: MatrixUserId | None, role: Role) -> bool:
        if person is None:
            return True
        needed = Level.ADMIN if role is Role.ADMIN else Level.USER
        return rights_from(self._office.settings).level(person) >= needed

    # --- whose accounts

    async def _whoami(self, asked: Asked) -> web.Response:
        settings = self._office.settings
        health = {one.team: one for one in self._office.health.workspaces()}
        logins = [await self._told(one, health.get(one.team)) for one in await self._of(asked.person)]
        return web.json_response(
            {
                "network": {
                    "displayname": "Slack",
                    "network_url": "https://slack.com",
                    "network_icon": "",
                    "network_id": "slack",
                    "beeper_bridge_type": "causeway",
                },
                "login_flows": [],
                "homeserver": settings.homeserver.domain,
                "bridge_bot": settings.bot_id,
                "command_prefix": settings.commands.prefix,
                "logins": logins,
            }
        )

    async def _told(self, login: Login, health: WorkspaceHealth | None) -> Json:
        is_up = health is not None and health.is_up
        event = "CONNECTED" if is_up else "TRANSIENT_DISCONNECT" if health is not None else "CONNECTING"
        since = int(health.last_event) if health is not None and health.last_event is not None else 0
        person = await self._store.directory.person(login.team, login.user)
        return {
            "state_event": event,
            "state_ts": since,
            "state": {"state_event": event, "timestamp": since, "message": health.trouble if health else ""},
            "id": login.id,
            "name": await self._store.workspace_name(login.team),
            "profile": {"name": person.name if person else login.user},
        }

    async def _of(self, person: MatrixUserId) -> list[Login]:
        """Return the Slack accounts of somebody."""
        return [
            Login(team, user)
            for team in await self._store.people.workspaces()
            for user, account in (await self._store.people.accounts(team)).items()
            if account == person
        ]

    async def _flows(self, _: Asked) -> web.Response:
        return web.json_response({"flows": []})

    async def _logins(self, asked: Asked) -> web.Response:
        return web.json_response({"login_ids": [one.id for one in await self._of(asked.person)]})

    async def _logout(self, asked: Asked) -> web.Response:
        wanted = asked.request.match_info["login"]
        there = [one for one in await self._of(asked.person) if wanted in ("all", one.id)]
        if not there:
            raise Failed(404, "not_found", f"{asked.person} has no login {wanted}: GET v3/logins lists those")
        for one in there:
            await people_.unlink(self._store, one.team, one.user, asked.actor)
        return web.json_response({})

    # --- people of Slack

    async def _contacts(self, asked: Asked) -> web.Response:
        team = await self._team(asked)
        found = await people_.page(self._store, team, "", _MOST_CONTACTS)
        return web.json_response({"contacts": [self._contact(team, one) for one in found]})

    async def _search(self, asked: Asked) -> web.Response:
        try:
            body = orjson.loads(await asked.request.read())
        except orjson.JSONDecodeError:
            body = None
        query = body.get("query") if isinstance(body, dict) else None
        if not isinstance(query, str) or not query.strip():
            raise Failed(400, "bad_json", 'send JSON such as {"query": "amara"}')
        team = await self._team(asked)
        found = await people_.page(self._store, team, "", _MOST_FOUND, search=query)
        return web.json_response({"results": [self._contact(team, one) for one in found]})

    async def _resolve(self, asked: Asked) -> web.Response:
        team, wanted = await self._team(asked), asked.request.match_info["identifier"]
        user = wanted.removeprefix(f"{team}-")
        found = await people_.page(self._store, team, "", _MOST_FOUND, search=user)
        named = [one for one in found if one.slack_id == user] or [one for one in found if one.name == wanted]
        if len(named) != 1:
            words = f"{len(named)} people are called {wanted}" if named else f"the bridge has met no {wanted}"
            raise Failed(404, "not_found", f"{words}: give an id of Slack, U…; POST v3/search_users finds it")
        return web.json_response(self._contact(team, named[0]))

    def _contact(self, team: TeamId, one: ShownPerson) -> Json:
        user = SlackUserId(one.slack_id)
        told = {"id": f"{team}-{user}", "identifiers": [f"slack:{user}"], "mxid": self._store.names.ghost(team, user)}
        return {**told, "name": one.name} if one.name else told

    async def _team(self, asked: Asked) -> TeamId:
        """Return the workspace of the login that was named, of the only login, or the only one that there is."""
        login = asked.request.query.get("login_id")
        if login is not None:
            found = [one.team for one in await self._of(asked.person) if one.id == login]
            if not found:
                raise Failed(404, "not_found", f"{asked.person} has no login {login}: GET v3/logins lists those")
            return found[0]
        teams = {one.team for one in await self._of(asked.user)} if asked.user is not None else set()
        return teams.pop() if len(teams) == 1 else await people_.workspace(self._store, None)

    # --- rooms

    async def _portal(self, asked: Asked) -> web.Response:
        portal = await self._store.find(asked.request.match_info["which"])
        return web.json_response(
            {
                "mxid": portal.room,
                "chat_id": portal.channel,
                "peer_type": "channel",
                "title": portal.name,
                "about": portal.topic,
                "state": portal.state,
                "can_unbridge": asked.user is None or self._may(asked.user, Role.ADMIN),
            }
        )

    async def _connect(self, asked: Asked) -> web.Response:
        room, channel = (asked.request.match_info[name] for name in ("room", "channel"))
        team, client = self._office.workspace(asked.request.query.get("workspace"))
        await portals_.add(self._store, client, team, channel, asked.actor, matrix=room)
        return web.json_response({}, status=202)

    async def _disconnect(self, asked: Asked) -> web.Response:
        portal = await self._store.directory.portal_of_room(asked.request.match_info["room"])
        if portal is None:
            raise Failed(404, "not_found", "no channel is bridged to this room")
        await portals_.change(self._store, portal, Change.REMOVE, asked.actor)
        return web.json_response({}, status=202)


def _unsupported(words: str) -> Callable[[Asked], Awaitable[web.Response]]:
    async def refuse(_: Asked) -> web.Response:
        raise Failed(501, "unsupported", words)

    return refuse


@web.middleware
async def _answered(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Have every failure answered as Matrix's are."""
    try:
        response = await handler(request)
    except Failed as failed:
        response = _error(failed, request)
    except web.HTTPMethodNotAllowed as refused:
        methods = ", ".join(sorted(refused.allowed_methods))
        response = _error(Failed(405, "method", f"use {methods}", headers={"Allow": methods}), request)
    except web.HTTPRequestEntityTooLarge:
        response = _error(Failed(413, "too_large", f"send less than {LARGEST_BODY} bytes"), request)
    except web.HTTPNotFound:
        response = _error(Failed(404, "unrecognized", "this bridge does not have that call"), request)
    except BridgeError as error:
        response = _error(failure_of(error), request)
    response.headers.update({"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
    return response


def _error(failed: Failed, request: web.Request) -> web.Response:
    status, words = failed.problem.status, failed.problem.detail
    kind = failed.problem.type.rpartition(":")[2]
    if status == 401 and "Authorization" not in request.headers:
        kind = "no_token"
    code = _KINDS.get(kind) or _CODES.get(status, "M_UNKNOWN")
    told: Json = {"errcode": code, "error": words}
    if status == 429:
        told["retry_after_ms"] = int(failed.headers["Retry-After"]) * 1000
    return web.json_response(told, status=status, headers=failed.headers)
