"""What is too old is forgotten and never taken for new; what is held stays; a person is forgotten where they ask."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bridge.store import retention as batches
from bridge.store.database import Statement
from bridge.store.forgetting import Forgetting
from bridge.store.holds import Holds
from bridge.store.links import Links, record
from bridge.store.papers import Kind, Papers
from bridge.store.people import People
from bridge.store.retention import Retention
from bridge.work.retention import Keeping
from portals.actions import RecordLink, RecordReaction
from portals.crossing.policy import Policy
from portals.crossing.rooms import DAY_MS, RoomPolicy
from portals.facts import Direction, Person, Portal, PortalState, Workspace
from portals.history.compare import differences
from portals.ids import NO_TS, ChannelId, MatrixUserId, SlackUserId, TeamId, Ts
from portals.people.links import How, Wanted

if TYPE_CHECKING:
    import pytest

    from bridge.store.database import Database
    from bridge.store.directory import Directory
    from portals.ids import GhostNames

TEAM, ADA, BRIAN = TeamId("T1"), SlackUserId("UADA"), SlackUserId("UBRIAN")
WORKSPACE = Workspace(TEAM, "Acme", SlackUserId("UBOT"), SlackUserId("B1"), "A1")
NOW = int(time.time())
AFTER_ALL = Ts(f"{NOW + 1000}.000000")


def ts(days: int, n: int = 0) -> Ts:
    """Return a time that many days ago."""
    return Ts(f"{NOW - days * 86400}.{n:06d}")


async def portal_in(directory: Directory, channel: str = "C1") -> Portal:
    return await directory.add_portal(TEAM, ChannelId(channel), name=channel.lower(), direction=Direction.BOTH)


async def say(database: Database, names: GhostNames, portal: Portal, at: Ts, who: SlackUserId, *parts: str) -> None:
    for part in parts or ("",):
        said = RecordLink("slack", names.ghost(TEAM, who), part, at, "", ts(300), "digest", at)
        await database.commit(*record(portal.id, said, f"$e{at}{part}"))
    reaction = RecordReaction(ts=at, emoji="wave", person=BRIAN, origin="slack")
    await database.commit(*record(portal.id, reaction, f"$r{at}"))


def keeping(database: Database, directory: Directory, names: GhostNames, days: int, horizon: float = 0) -> Keeping:
    policy = Policy(room=RoomPolicy(keep_ms=days * DAY_MS))
    return Keeping(
        database=database,
        directory=directory,
        retention=Retention(database),
        holds=Holds(database, names),
        policy_of=lambda _: policy,
        horizon=horizon,
    )


async def left(database: Database, portal: Portal) -> list[str]:
    rows = await database.fetch(
        "SELECT DISTINCT ts FROM links WHERE portal = $1 AND event_id <> '' ORDER BY ts", portal.id
    )
    return [str(row[0]) for row in rows]


async def test_what_is_too_old_leaves_a_tombstone_by_which_no_look_back_takes_it_for_new(
    database: Database, directory: Directory, names: GhostNames, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    portal = await portal_in(directory)
    old = [ts(40, n) for n in range(5)]
    for at in old:
        await say(database, names, portal, at, ADA)
    await say(database, names, portal, ts(39), ADA, "F1", "F2")
    await say(database, names, portal, ts(3), ADA, "", "F2")
    for file in ("F1", "F2"):
        columns = "team, id, url, thumbnail, name, mimetype, told, mxc, state"
        values = (TEAM, file, "u", "", "secret.pdf", "", 1, f"mxc://{file}", "here")
        await database.commit(
            Statement(f"INSERT INTO files ({columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", values),
            Statement("INSERT INTO file_keys (mxc, sealed) VALUES ($1, 'k')", (f"mxc://{file}",)),
        )
    assert await keeping(database, directory, names, 30).sweep() == 6
    assert await keeping(database, directory, names, 30).sweep() == 0
    assert await left(database, portal) == [ts(3)]
    rows = await database.fetch("SELECT part, sender, digest, version, hand FROM links WHERE ts < $1", ts(30))
    assert {tuple(row) for row in rows} == {("", "", "", "", "")}
    assert len(rows) == 6
    assert [tuple(row) for row in await database.fetch("SELECT DISTINCT ts FROM reactions")] == [(ts(3),)]
    assert [tuple(row) for row in await database.fetch("SELECT id FROM files")] == [("F2",)]
    assert [tuple(row) for row in await database.fetch("SELECT mxc FROM file_keys")] == [("mxc://F2",)]
    told: list[dict[str, Any]] = [{"type": "message", "user": ADA, "ts": at, "text": "old"} for at in [*old, ts(39)]]
    news = differences(
        told,
        await links.of_messages(portal.id, [*old, ts(39)]),
        [],
        channel=portal.channel,
        workspace=WORKSPACE,
        gap=1,
        since=NO_TS,
        as_of=AFTER_ALL,
    )
    assert news == []


async def test_nothing_is_forgotten_that_is_held_under_way_or_within_reach_of_a_look_back(
    database: Database, directory: Directory, names: GhostNames
) -> None:
    holds = Holds(database, names)
    portal, held, moving = [await portal_in(directory, channel) for channel in ("C1", "C2", "C3")]
    for one in (portal, held, moving):
        await say(database, names, one, ts(40), ADA)
        await say(database, names, one, ts(40, 1), BRIAN)
    await directory.set_state(moving.id, PortalState.FROZEN)
    await directory.set_state(portal.id, PortalState.LIVE)
    wanted = [Wanted(BRIAN, MatrixUserId("@brian:example.org"), How.HAND)]
    await People(database).link(TEAM, wanted, "a test")
    assert await holds.hold(TEAM, "T1/C2", "inquiry", "ada")
    assert await holds.hold(TEAM, "@brian:example.org", "inquiry", "ada")
    assert not await holds.hold(TEAM, "T1/C2", "inquiry", "ada")
    assert await keeping(database, directory, names, 30, horizon=50 * 86400).sweep() == 0
    assert await keeping(database, directory, names, 0).sweep() == 0
    assert await keeping(database, directory, names, 30).sweep() == 1
    assert await left(database, portal) == [ts(40, 1)]
    assert await left(database, held) == await left(database, moving) == [ts(40), ts(40, 1)]
    assert await holds.release(TEAM, "@brian:example.org", "closed", "ada")
    assert await holds.release(TEAM, "T1/C2", "closed", "ada")
    assert not await holds.release(TEAM, "T1/C2", "closed", "ada")
    assert await keeping(database, directory, names, 30).sweep() == 3
    acts = [str(row[0]) for row in await database.fetch("SELECT act FROM audit ORDER BY id")]
    assert acts == ["link", "hold", "hold", "forget", "release", "release", "forget", "forget"]


async def test_reports_are_forgotten_after_the_shortest_time_unless_something_is_held(
    database: Database, directory: Directory, names: GhostNames
) -> None:
    holds, papers = Holds(database, names), Papers(database)
    await portal_in(directory)
    for kind in (Kind.PLAN, Kind.REPORT, Kind.REPORT):
        await papers.keep(kind, "export.zip", "", "root", "<p>quoted</p>")
    await database.commit(Statement("UPDATE papers SET made_at = $1 WHERE id < 3", ((NOW - 31 * 86400) * 1000,)))
    assert await holds.hold(TEAM, "T1/C1", "inquiry", "ada")
    await keeping(database, directory, names, 30).sweep()
    assert len(await papers.before(9, 9)) == 3
    assert await holds.release(TEAM, "T1/C1", "closed", "ada")
    await keeping(database, directory, names, 30).sweep()
    assert [(one.id, one.kind) for one in await papers.before(9, 9)] == [(3, "report"), (1, "plan")]
    ((detail,),) = await database.fetch("SELECT detail FROM audit WHERE act = 'forget'")
    assert detail == "1 of them"


async def test_a_person_is_forgotten_and_nobody_else(
    database: Database, directory: Directory, names: GhostNames
) -> None:
    portal = await portal_in(directory)
    for at, who in ((ts(4), ADA), (ts(3), BRIAN), (ts(2), ADA)):
        await say(database, names, portal, at, who)
    people = [Person(who, who.title(), names.ghost(TEAM, who)) for who in (ADA, BRIAN)]
    await directory.learn_people(TEAM, [replace(people[0], avatar_url="https://x.example/a.png"), people[1]])
    accounts = [Wanted(who, MatrixUserId(f"@{who.lower()}:example.org"), How.HAND) for who in (ADA, BRIAN)]
    await People(database).link(TEAM, accounts, "a test")
    quarantined = (1, TEAM, "C1", "a:1", "odd", f'{{"user":"{ADA}"}}', 1)
    await database.commit(
        Statement(
            "INSERT INTO quarantine (import, team, channel, place, reason, raw, found_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            quarantined,
        )
    )
    forgetting, ada = Forgetting(database, Retention(database)), await Holds(database, names).identity(TEAM, ADA)
    assert ada.names == (ADA, "@uada:example.org", "@slack_t1_uada:example.org")
    told = {one.what: (one.count, bool(one.stays)) for one in await forgetting.traces(TEAM, ada, [portal], ())}
    assert told == {
        "name and picture in Slack": (1, False),
        "link to an account": (1, False),
        "unreadable records of imports": (1, False),
        "messages": (2, False),
        "entries of the audit log": (1, True),
    }
    await forgetting.forget(TEAM, ada, [portal], {"T1/C1"}, "cli", "asked")
    assert len(await left(database, portal)) == 3
    await forgetting.forget(TEAM, ada, [portal], (), "cli", "asked")
    assert await left(database, portal) == [ts(3)]
    after = await forgetting.traces(TEAM, ada, [portal], ())
    assert [one.what for one in after] == ["entries of the audit log"]
    other = await Holds(database, names).identity(TEAM, "@ubrian:example.org")
    kept = {one.what for one in await forgetting.traces(TEAM, other, [portal], ())}
    assert {"name and picture in Slack", "link to an account", "messages", "reactions"} <= kept
