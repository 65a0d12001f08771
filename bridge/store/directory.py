"""The directory: workspaces, portals, and everybody and everything that has a name.

What is asked for with every message is also kept in bounded caches in memory; every write goes to the database first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.store.database import Statement
from bridge.store.recent import Recent
from bridge.store.words import Words
from portals.facts import Direction, Member, Person, Portal, PortalKind, PortalState, Workspace
from portals.ids import ChannelId, MatrixUserId, PortalId, RoomId, SlackUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.store.database import Database, Row
    from portals.ids import GhostNames

_CACHED_WORKSPACES = 1_000
_CACHED_PEOPLE = 20_000
_CACHED_PORTALS = 5_000
_CACHED_JOINS = 50_000

_PORTAL = """
SELECT id, team, channel, room, direction, state, name, topic, private, target, caught_up, trouble, purpose, archived,
  kind, history
FROM portals
"""
ADD_PORTAL = """
INSERT INTO portals (team, channel, room, direction, state, name, topic, private, target, purpose, kind)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (team, channel) DO UPDATE SET direction = excluded.direction, name = excluded.name,
  target = CASE WHEN portals.room IS NULL THEN excluded.target ELSE portals.target END,
  caught_up = CASE WHEN portals.state = 'removed' THEN 0 ELSE portals.caught_up END,
  trouble = CASE WHEN portals.state = 'removed' THEN '' ELSE portals.trouble END,
  state = CASE WHEN portals.state <> 'removed' THEN portals.state
    WHEN portals.room IS NULL THEN 'planned' ELSE 'live' END
RETURNING id
"""
ADD_GAP = "INSERT INTO gaps (team, place) VALUES ($1, $2) ON CONFLICT (team, place) DO NOTHING"
SET_ROOM = """
UPDATE portals SET room = $2, trouble = '', state = CASE WHEN state = 'planned' THEN 'live' ELSE state END
WHERE id = $1
"""
LEAVE_ROOM = "UPDATE portals SET room = NULL WHERE room = $2 AND state = 'removed' AND id <> $1"
SET_STATE = "UPDATE portals SET state = $2 WHERE id = $1"
BEGIN_HISTORY = """
UPDATE portals SET state = 'importing', history = $2
WHERE id = $1 AND state <> 'frozen' AND (state <> 'archived' OR kind = 'history')
"""
BEGIN_NEW = "UPDATE portals SET state = 'importing', history = $3 WHERE team = $1 AND channel = $2"
END_HISTORY = """
UPDATE portals SET history = 0,
  state = CASE WHEN state <> 'importing' THEN state WHEN kind = 'history' THEN 'archived' ELSE 'live' END
WHERE id = $1
"""
SET_TROUBLE = "UPDATE portals SET trouble = $2 WHERE id = $1"
SET_CAUGHT_UP = "UPDATE portals SET caught_up = $2, trouble = $3 WHERE id = $1"
ADD_WORKSPACE = """
INSERT INTO workspaces (team, name, bot_user, bot, app, url) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (team) DO UPDATE SET name = excluded.name, bot_user = excluded.bot_user, bot = excluded.bot,
  app = excluded.app, url = excluded.url
"""
ADD_PERSON = """
INSERT INTO people (team, user_id, name, avatar_url, is_bot) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (team, user_id) DO UPDATE SET name = excluded.name, avatar_url = excluded.avatar_url,
  is_bot = excluded.is_bot
"""
KEEP_PERSON = """
INSERT INTO people (team, user_id, name, avatar_url, is_bot) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (team, user_id) DO NOTHING
"""
SHOWN_PEOPLE = """
SELECT user_id FROM people WHERE team = $1 AND user_id > $2 AND shown <> '' ORDER BY user_id LIMIT $3
"""
SET_SHOWN = "UPDATE people SET shown = $3 WHERE team = $1 AND user_id = $2"
ADD_MEMBER = """
INSERT INTO members (user_id, name, avatar) VALUES ($1, $2, $3)
ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, avatar = excluded.avatar
"""
ADD_JOINED = "INSERT INTO joined (room, user_id) VALUES ($1, $2) ON CONFLICT (room, user_id) DO NOTHING"
REMOVE_JOINED = "DELETE FROM joined WHERE room = $1 AND user_id = $2"
ACCOUNTS_IN = """
SELECT accounts.user_id FROM accounts JOIN joined ON joined.user_id = accounts.account
WHERE accounts.team = $1 AND joined.room = $2
"""
ADD_CHANNEL = """
INSERT INTO channels (team, channel, name) VALUES ($1, $2, $3)
ON CONFLICT (team, channel) DO UPDATE SET name = excluded.name
"""
ADD_MEDIA = """
INSERT INTO media (source, target, mimetype, size) VALUES ($1, $2, $3, $4)
ON CONFLICT (source) DO UPDATE SET target = excluded.target, mimetype = excluded.mimetype, size = excluded.size
"""


class Directory:
    """Workspaces, portals, people, members, channels, emoji, user groups and media."""

    def __init__(self, database: Database, names: GhostNames) -> None:
        self._database = database
        self._names = names
        self.words = Words(database)
        self._portals: Recent[str, Portal] = Recent(_CACHED_PORTALS)
        self._people: Recent[tuple[str, str], Person] = Recent(_CACHED_PEOPLE)
        self._members: Recent[str, Member] = Recent(_CACHED_PEOPLE)
        self._shown: Recent[tuple[str, str], str] = Recent(_CACHED_PEOPLE)
        self._joined: Recent[tuple[str, str], bool] = Recent(_CACHED_JOINS)
        self._workspaces: Recent[str, Workspace] = Recent(_CACHED_WORKSPACES)

    # --- workspaces

    async def learn_workspace(self, workspace: Workspace) -> None:
        """Remember a workspace as auth.test describes it."""
        values = (workspace.team, workspace.name, workspace.bot_user, workspace.bot, workspace.app, workspace.url)
        await self._database.commit(Statement(ADD_WORKSPACE, values))
        self._workspaces.forget(workspace.team)

    async def workspace(self, team: TeamId) -> Workspace | None:
        """Return a workspace that is or was configured."""
        known = self._workspaces.get(team)
        if known is not None:
            return known
        writes = self._workspaces.writes
        rows = await self._database.fetch(
            "SELECT team, name, bot_user, bot, app, url, space FROM workspaces WHERE team = $1", team
        )
        if not rows:
            return None
        workspace = Workspace(*rows[0])
        self._workspaces.keep(team, workspace, writes)
        return workspace

    async def unconnected(self) -> list[Workspace]:
        """Return the workspaces that no token was ever there for: those known by their export alone."""
        rows = await self._database.fetch(
            "SELECT team, name, bot_user, bot, app, url, space FROM workspaces WHERE bot_user = '' ORDER BY team"
        )
        return [Workspace(*row) for row in rows]

    async def set_space(self, team: TeamId, space: RoomId) -> None:
        """Remember a workspace's Space."""
        await self._database.commit(Statement("UPDATE workspaces SET space = $2 WHERE team = $1", (team, space)))
        self._workspaces.forget(team)

    async def gap(self, team: TeamId) -> int:
        """Return the place of the newest gap in a workspace's stream of events, 0 when there was none."""
        rows = await self._database.fetch("SELECT gap FROM workspaces WHERE team = $1", team)
        return int(rows[0][0]) if rows else 0

    async def gaps(self, team: TeamId) -> list[int]:
        """Return the places of all gaps in a workspace's stream of events, the oldest first."""
        rows = await self._database.fetch("SELECT place FROM gaps WHERE team = $1 ORDER BY place", team)
        return [int(row[0]) for row in rows]

    async def add_gap(self, team: TeamId, place: int) -> None:
        """Remember that events may be missing before this place."""
        await self._database.commit(
            Statement(ADD_GAP, (team, place)),
            Statement("UPDATE workspaces SET gap = $2 WHERE team = $1", (team, place)),
        )

    # --- portals

    async def add_portal(
        self,
        team: TeamId,
        channel: ChannelId,
        *,
        name: str,
        topic: str = "",
        purpose: str = "",
        private: bool = False,
        direction: Direction = Direction.BOTH,
        target: str = "create",
        kind: PortalKind = PortalKind.CHANNEL,
        history: int = 0,
        beside: Sequence[Statement] = (),
    ) -> Portal:
        """Make a portal for a channel, or return the one that it has, with the direction brought up to date.

        With a place in `history`, it is made to walk nothing behind that place until its past is in.

        A removed portal goes on where it was: it keeps its links and its room, and looks back over all that it missed.
        `beside` is stored in the same commit.
        """
        values = (team, channel, None, direction, PortalState.PLANNED, name, topic, int(private), target, purpose, kind)
        waits = [Statement(BEGIN_NEW, (team, channel, history))] if history else []
        results = await self._database.commit(Statement(ADD_PORTAL, values), *waits, *beside)
        self._portals.clear()
        portal = await self.portal(PortalId(int(results[0][0][0])))
        assert portal is not None
        return portal

    async def portal(self, portal: PortalId) -> Portal | None:
        """Return a portal by its number."""
        rows = await self._database.fetch(f"{_PORTAL} WHERE id = $1", portal)
        return _portal(rows[0]) if rows else None

    async def portal_of_channel(self, team: str, channel: str) -> Portal | None:
        """Return the portal of a channel."""
        return await self._portal_by(f"{team}/{channel}", "team = $1 AND channel = $2", team, channel)

    async def portal_of_room(self, room: str) -> Portal | None:
        """Return the portal of a room."""
        return await self._portal_by(room, "room = $1", room)

    async def _portal_by(self, key: str, condition: str, *values: str) -> Portal | None:
        known = self._portals.get(key)
        if known is not None:
            return known
        writes = self._portals.writes
        rows = await self._database.fetch(f"{_PORTAL} WHERE {condition}", *values)
        if not rows:
            return None
        portal = _portal(rows[0])
        self._portals.keep(key, portal, writes)
        return portal

    async def portals(self, after: int = 0, limit: int = 1000) -> list[Portal]:
        """Return portals in the order in which they were made."""
        rows = await self._database.fetch(f"{_PORTAL} WHERE id > $1 ORDER BY id LIMIT $2", after, limit)
        return [_portal(row) for row in rows]

    async def portals_behind(self, team: TeamId, gap: int, limit: int) -> list[Portal]:
        """Return live or frozen portals of a workspace that have not looked back over a gap yet."""
        rows = await self._database.fetch(
            f"{_PORTAL} WHERE team = $1 AND caught_up < $2 AND state IN ('live', 'frozen') AND direction <> 'to_slack' "
            "ORDER BY id LIMIT $3",
            team,
            gap,
            limit,
        )
        return [_portal(row) for row in rows]

    async def planned_portals(self) -> list[Portal]:
        """Return portals whose room is still to be opened."""
        waiting = "state = 'planned' OR (state = 'importing' AND room IS NULL)"
        return [_portal(row) for row in await self._database.fetch(f"{_PORTAL} WHERE {waiting} ORDER BY id")]

    async def set_room(self, portal: PortalId, room: RoomId) -> None:
        """Remember the room of a portal, which is live unless somebody paused or removed it meanwhile.

        A removed portal that had the room gives it up.
        """
        await self._change(Statement(LEAVE_ROOM, (portal, room)), Statement(SET_ROOM, (portal, room)))

    async def set_state(self, portal: PortalId, state: PortalState, *beside: Statement) -> None:
        """Change a portal's state; a removed one keeps its links, so that it can go on later where it was."""
        await self._change(Statement(SET_STATE, (portal, state)), *beside)

    async def begin_history(self, portal: PortalId, place: int) -> None:
        """Have a portal walk nothing that stands behind a place, until its past is in."""
        await self._change(Statement(BEGIN_HISTORY, (portal, place)))

    async def end_history(self, portal: PortalId) -> None:
        """Let a portal go on with what is new; one that holds the past alone is complete."""
        await self._change(Statement(END_HISTORY, (portal,)))

    async def set_trouble(self, portal: PortalId, trouble: str) -> None:
        """Remember why a portal cannot be opened."""
        await self._change(Statement(SET_TROUBLE, (portal, trouble)))

    def caught_up(self, portal: PortalId, gap: int, trouble: str) -> tuple[Statement]:
        """Return what remembers that a portal looked back over a gap; call `forget_portals` after the commit."""
        return (Statement(SET_CAUGHT_UP, (portal, gap, trouble)),)

    async def _keep(self, statements: list[Statement]) -> None:
        if statements:
            await self._database.commit(*statements)

    async def _change(self, *statements: Statement) -> None:
        await self._database.commit(*statements)
        self._portals.clear()

    def forget_portals(self) -> None:
        """Read portals anew: another process changed them, or a record did."""
        self._portals.clear()

    # --- Slack's people

    def forget_people(self) -> None:
        """Read people anew: another process may have forgotten somebody."""
        self._people.clear()

    async def person(self, team: TeamId, user: SlackUserId) -> Person | None:
        """Return a person or bot that was met before."""
        known = self._people.get((team, user))
        if known is not None:
            return known
        writes = self._people.writes
        rows = await self._database.fetch(
            "SELECT name, avatar_url, is_bot FROM people WHERE team = $1 AND user_id = $2", team, user
        )
        if not rows:
            return None
        name, avatar_url, is_bot = rows[0]
        person = Person(user, name, self._names.ghost(team, user), avatar_url, bool(is_bot))
        self._people.keep((team, user), person, writes)
        return person

    async def learn_people(self, team: TeamId, people: Iterable[Person]) -> None:
        """Remember people as Slack describes them now; one who was deactivated stays as they were known."""
        await self._learn(team, list(people))

    async def learn_everybody(self, team: TeamId, people: Iterable[Person]) -> None:
        """Remember people as a list of the workspace describes them that is all there is, whoever is gone included."""
        await self._learn(team, [replace(one, deactivated=False) for one in people])

    async def learn_strangers(self, team: TeamId, people: Iterable[Person]) -> None:
        """Remember people as they were described once, unless more is known of them."""
        await self._learn(team, [replace(one, deactivated=True) for one in people])

    async def _learn(self, team: TeamId, described: list[Person]) -> None:
        await self._keep(
            [
                Statement(
                    KEEP_PERSON if one.deactivated else ADD_PERSON,
                    (team, one.user, one.name, one.avatar_url, int(one.is_bot)),
                )
                for one in described
            ]
        )
        for one in described:
            if one.deactivated:
                self._people.forget((team, one.user))
            else:
                self._people.put((team, one.user), one)

    async def shown(self, team: TeamId, user: SlackUserId) -> str:
        """Return which profile a ghost shows, as `set_shown` noted it; empty for a ghost that does not exist yet."""
        known = self._shown.get((team, user))
        if known is None:
            writes = self._shown.writes
            rows = await self._database.fetch("SELECT shown FROM people WHERE team = $1 AND user_id = $2", team, user)
            known = str(rows[0][0]) if rows else ""
            self._shown.keep((team, user), known, writes)
        return known

    async def shown_people(self, team: TeamId, after: str, limit: int = 500) -> list[SlackUserId]:
        """Return people who have a ghost, in the order of their ids."""
        rows = await self._database.fetch(SHOWN_PEOPLE, team, after, limit)
        return [SlackUserId(row[0]) for row in rows]

    async def set_shown(self, team: TeamId, user: SlackUserId, shown: str) -> None:
        """Remember which profile a ghost shows."""
        await self._database.commit(Statement(SET_SHOWN, (team, user, shown)))
        self._shown.put((team, user), shown)

    # --- Matrix's people

    async def member(self, user: MatrixUserId) -> Member | None:
        """Return a Matrix person that was met before."""
        known = self._members.get(user)
        if known is None:
            writes = self._members.writes
            rows = await self._database.fetch("SELECT name, avatar FROM members WHERE user_id = $1", user)
            if not rows:
                return None
            known = Member(user, rows[0][0], rows[0][1])
            self._members.keep(user, known, writes)
        return known

    async def learn_member(self, member: Member) -> None:
        """Remember a Matrix person as a room shows them."""
        await self._database.commit(Statement(ADD_MEMBER, (member.user, member.name, member.avatar)))
        self._members.put(member.user, member)

    async def is_joined(self, room: RoomId, user: MatrixUserId) -> bool:
        """Tell whether a user of ours is known to be in a room."""
        known = self._joined.get((room, user))
        if known is None:
            writes = self._joined.writes
            known = bool(
                await self._database.fetch("SELECT 1 FROM joined WHERE room = $1 AND user_id = $2", room, user)
            )
            if known:
                self._joined.keep((room, user), True, writes)
        return known

    async def authors_in(self, team: TeamId, room: RoomId) -> set[str]:
        """Return the people of a workspace whom we brought into a room, as ghosts or in their own accounts; no bots."""
        rows = await self._database.fetch("SELECT user_id FROM joined WHERE room = $1", room)
        authors = (self._names.slack_author(str(row[0])) for row in rows)
        ghosts = {str(one[1]) for one in authors if one is not None and one[0] == team and not one[1].startswith("B")}
        return ghosts | {str(row[0]) for row in await self._database.fetch(ACCOUNTS_IN, team, room)}

    async def set_joined(self, room: RoomId, user: MatrixUserId, joined: bool) -> None:
        """Remember whether a user of ours is in a room."""
        await self._database.commit(Statement(ADD_JOINED if joined else REMOVE_JOINED, (room, user)))
        if joined:
            self._joined.put((room, user), True)
        else:
            self._joined.forget((room, user))

    # --- names and media

    async def learn_channels(self, team: TeamId, channels: Iterable[tuple[ChannelId, str]]) -> None:
        """Remember the names of channels, bridged or not."""
        await self._keep([Statement(ADD_CHANNEL, (team, channel, name)) for channel, name in channels])

    async def channel_name(self, team: TeamId, channel: ChannelId) -> str | None:
        """Return the name of a channel, without `#`."""
        rows = await self._database.fetch("SELECT name FROM channels WHERE team = $1 AND channel = $2", team, channel)
        return str(rows[0][0]) if rows else None

    async def channel_named(self, team: TeamId, name: str) -> ChannelId | None:
        """Return the channel of this name."""
        rows = await self._database.fetch("SELECT channel FROM channels WHERE team = $1 AND name = $2", team, name)
        return ChannelId(rows[0][0]) if rows else None

    async def media(self, source: str) -> str | None:
        """Return where a file was brought to: the address on the other side."""
        rows = await self._database.fetch("SELECT target FROM media WHERE source = $1", source)
        return str(rows[0][0]) if rows else None

    async def learn_media(self, source: str, target: str, mimetype: str, size: int) -> None:
        """Remember where a file was brought to, so that it is never brought twice."""
        await self._database.commit(Statement(ADD_MEDIA, (source, target, mimetype, size)))


def _portal(row: Row) -> Portal:
    number, team, channel, room, direction, state, name, topic, private, target, caught_up, trouble, *more = row
    purpose, archived, kind, history = more
    return Portal(
        id=PortalId(number),
        team=TeamId(team),
        channel=ChannelId(channel),
        room=RoomId(room) if room else None,
        direction=Direction(direction),
        state=PortalState(state),
        name=name,
        topic=topic,
        private=bool(private),
        target=target,
        caught_up=caught_up,
        trouble=trouble,
        purpose=purpose,
        archived=bool(archived),
        kind=PortalKind(kind),
        history=history,
    )
