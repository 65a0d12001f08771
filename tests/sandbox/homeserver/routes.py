"""Which request an instant homeserver gives to whom; anything else is M_UNRECOGNIZED, as on any homeserver."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.sandbox.homeserver import events, people, rooms
from tests.sandbox.homeserver.call import Call, MatrixError
from tests.sandbox.homeserver.transport import Json
from tests.sandbox.homeserver.world import Media, World

if TYPE_CHECKING:
    from collections.abc import Mapping

Result = Json | list[Json] | Media
Handler = Callable[[World, Call], Result | Awaitable[Result]]

# A star stands for one part of the path. `PUT` requests that end in a transaction id are listed apart: they are
# answered from memory when they come again.
ONCE: dict[str, Handler] = {
    "PUT client/v3/rooms/*/send/*/*": events.send,
    "PUT client/v3/rooms/*/redact/*/*": events.redact,
}
OPEN: dict[str, Handler] = {
    "GET client/versions": people.versions,
    "POST client/v3/login": people.login,
}
TABLE: dict[str, Handler] = {
    "POST client/v3/register": people.register,
    "GET client/v3/account/whoami": people.whoami,
    "GET client/v3/capabilities": rooms.capabilities,
    "GET client/v3/profile/*": people.profile_get,
    "GET client/v3/profile/*/*": people.profile_get,
    "PUT client/v3/profile/*/*": people.profile_put,
    "PUT client/v3/presence/*/status": people.presence,
    "PUT client/v3/user/*/account_data/*": people.data_put,
    "GET client/v3/user/*/account_data/*": people.data_get,
    "PUT client/v3/user/*/rooms/*/account_data/*": people.data_put,
    "GET client/v3/user/*/rooms/*/account_data/*": people.data_get,
    "PUT client/v3/pushrules/global/override/*": people.rule_put,
    "GET client/v3/pushrules/global/override/*": people.rule_get,
    "DELETE client/v3/pushrules/global/override/*": people.rule_delete,
    "PUT client/v3/pushrules/global/override/*/enabled": people.rule_switch,
    "POST media/v3/upload": people.upload,
    "GET media/v3/config": people.media_config,
    "GET client/v1/media/config": people.media_config,
    "GET client/v1/media/download/*/*": people.download,
    "GET client/v1/media/download/*/*/*": people.download,
    "GET client/v1/media/thumbnail/*/*": people.download,
    "POST client/v3/createRoom": rooms.create,
    "GET client/v3/directory/room/*": rooms.alias_get,
    "PUT client/v3/directory/room/*": rooms.alias_put,
    "DELETE client/v3/directory/room/*": rooms.alias_delete,
    "GET client/v3/rooms/*/aliases": rooms.aliases_of,
    "POST client/v3/join/*": rooms.join,
    "POST client/v3/rooms/*/join": rooms.join,
    "POST client/v3/rooms/*/leave": rooms.leave,
    "POST client/v3/rooms/*/forget": rooms.forget,
    "POST client/v3/rooms/*/invite": rooms.invite,
    "POST client/v3/rooms/*/kick": rooms.kick,
    "POST client/v3/rooms/*/ban": rooms.ban,
    "POST client/v3/rooms/*/unban": rooms.unban,
    "GET client/v3/joined_rooms": rooms.joined_rooms,
    "GET client/v3/rooms/*/joined_members": rooms.joined_members,
    "GET client/v3/rooms/*/members": rooms.members,
    "PUT client/v3/rooms/*/state/*": events.state_put,
    "PUT client/v3/rooms/*/state/*/*": events.state_put,
    "GET client/v3/rooms/*/state/*": events.state_get,
    "GET client/v3/rooms/*/state/*/*": events.state_get,
    "GET client/v3/rooms/*/state": events.state_all,
    "GET client/v3/rooms/*/messages": events.messages,
    "GET client/v3/rooms/*/event/*": events.event_get,
    "GET client/v3/rooms/*/context/*": events.context,
    "GET client/v1/rooms/*/relations/*": events.relations,
    "GET client/v1/rooms/*/relations/*/*": events.relations,
    "GET client/v1/rooms/*/relations/*/*/*": events.relations,
    "GET client/v1/rooms/*/timestamp_to_event": events.event_at,
    "PUT client/v3/rooms/*/typing/*": people.typing,
    "POST client/v3/rooms/*/receipt/*/*": people.receipt,
    "POST client/v3/rooms/*/read_markers": people.read_markers,
}


class Router:
    """Finds the handler of a request; `r0` stands for `v3`."""

    def __init__(self, *tables: Mapping[str, Handler]) -> None:
        # By method and number of parts, so that a request is compared with a handful of patterns.
        self._routes: dict[tuple[str, int], list[tuple[tuple[str, ...], Handler]]] = {}
        for table in tables:
            self.add(table)

    def add(self, table: Mapping[str, Handler]) -> None:
        for pattern, handler in table.items():
            method, _, path = pattern.partition(" ")
            parts = tuple(path.split("/"))
            self._routes.setdefault((method, len(parts)), []).append((parts, handler))

    def find(self, method: str, path: str) -> tuple[Handler, tuple[str, ...]]:
        """The handler and the decoded variable parts; `path` is the raw one, still encoded."""
        prefix, _, rest = path.partition("/_matrix/")
        parts = rest.replace("/r0/", "/v3/", 1).split("/")
        if not prefix:
            for pattern, handler in self._routes.get((method, len(parts)), ()):
                if all(known in ("*", part) for known, part in zip(pattern, parts, strict=True)):
                    arguments = tuple(unquote(p) for known, p in zip(pattern, parts, strict=True) if known == "*")
                    return handler, arguments
        raise MatrixError(404, "M_UNRECOGNIZED", "Unrecognized request")
