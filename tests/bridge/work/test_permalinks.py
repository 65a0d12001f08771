"""Links to messages and channels lead to what the other side shows of them, and all others stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.journeys.stage import Stage, until
from tests.sandbox.child import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.slack import SlackSandbox

VIA = "?via=localhost"


def town(slack: SlackSandbox) -> None:
    workspace = slack.new_team("Acme")
    workspace.add_user("alice", "Alice", display_name="alice")
    for channel in ("general", "random"):
        workspace.person("alice").create(channel, members=["alice", workspace.installation.bot_user])


@pytest.fixture
async def stage(sqlite_url: str) -> AsyncIterator[Stage]:
    async with Stage(sqlite_url, seed=town) as stage:
        await stage.start()
        yield stage


def permalink(stage: Stage, channel: str, ts: str) -> str:
    room = stage.workspace.channel(channel)
    return stage.workspace.permalink(room, stage.workspace.message(room, ts))


async def event(stage: Stage, channel: str, body: str) -> dict[str, Any]:
    """Return the event of a room that has these words, as soon as there is one."""
    room = await stage.room(channel)

    def found() -> list[dict[str, Any]]:
        return [one for one in stage.homeserver.events(room) if one["content"].get("body") == body]

    return (await until(found))[0]  # type: ignore[no-any-return]


async def entry(stage: Stage, channel: str, words: str) -> Any:
    return (await until(lambda: [one for one in stage.entries(channel) if words in one.text]))[0]


async def test_a_link_to_a_message_from_slack_leads_to_its_event_in_another_room(stage: Stage) -> None:
    alice = stage.workspace.person("alice")
    target = alice.post("general", "the target")
    shown = await event(stage, "general", "the target")
    room = await stage.room("general")
    address = f"https://matrix.to/#/{room}/{shown['event_id']}{VIA}"
    alice.post("random", f"look at {permalink(stage, 'general', target.ts)}")
    await event(stage, "random", f"look at {address}")
    alice.post("random", f"and the channel {stage.workspace.url}archives/{stage.workspace.channel('general').id}")
    await event(stage, "random", f"and the channel https://matrix.to/#/{room}{VIA}")


async def test_links_of_the_web_client_and_of_no_workspace_lead_there_too(stage: Stage) -> None:
    alice = stage.workspace.person("alice")
    target = alice.post("general", "the target")
    shown = await event(stage, "general", "the target")
    address = f"https://matrix.to/#/{await stage.room('general')}/{shown['event_id']}{VIA}"
    channel, name = stage.workspace.channel("general").id, f"p{target.ts.replace('.', '')}"
    for number, link in enumerate(
        (
            f"https://slack.com/archives/{channel}/{name}",
            f"https://acme.enterprise.slack.com/archives/{channel}/{name}",
            f"https://app.slack.com/client/{stage.workspace.id}/{channel}/{name}",
            f"https://app.slack.com/client/E0ORG/{channel}/thread/{channel}-{target.ts}",
            f"https://slack.com/app_redirect?channel={channel}&message_ts={target.ts}",
        )
    ):
        alice.post("random", f"{number}: {link}")
        await event(stage, "random", f"{number}: {address}")


async def test_a_link_to_the_message_just_before_is_right_although_both_are_under_way(stage: Stage) -> None:
    await stage.room("general")
    alice = stage.workspace.person("alice")
    last = alice.post("general", "m0")
    for number in range(1, 6):
        last = alice.post("general", f"m{number} follows {permalink(stage, 'general', last.ts)}")
    room = await stage.room("general")
    before = (await event(stage, "general", "m0"))["event_id"]
    for number in range(1, 6):
        link = f"https://matrix.to/#/{room}/{before}{VIA}"
        before = (await event(stage, "general", f"m{number} follows {link}"))["event_id"]


async def test_a_link_to_a_message_from_matrix_goes_there_and_back(stage: Stage) -> None:
    ada = await stage.person("ada", "general")
    room = await stage.room("general")
    said = await ada.say(room, "said in Matrix")
    target = await entry(stage, "general", "said in Matrix")
    link = permalink(stage, "general", target.ts)
    await ada.say(room, f"see https://matrix.to/#/{room}/{said}?via=elsewhere.example")
    assert (await entry(stage, "general", "see <")).text == f"see <{link}>"
    stage.workspace.person("alice").post("general", f"I saw {link}")
    await event(stage, "general", f"I saw https://matrix.to/#/{room}/{said}{VIA}")


async def test_a_link_into_a_thread_names_the_thread(stage: Stage) -> None:
    alice = stage.workspace.person("alice")
    root = alice.post("general", "root")
    reply = alice.post("general", "reply", thread_ts=root.ts)
    shown = await event(stage, "general", "reply")
    ada = await stage.person("ada", "random")
    general, alias = await stage.room("general"), stage.workspace.channel("general").id
    html = f'<a href="matrix:roomid/{general[1:]}/e/{shown["event_id"][1:]}">there</a>'
    content = {"msgtype": "m.text", "body": "there", "format": "org.matrix.custom.html", "formatted_body": html}
    await ada.send(await stage.room("random"), content)
    link = f"{stage.workspace.url}archives/{alias}/p{reply.ts.replace('.', '')}"
    assert (await entry(stage, "random", "|there>")).text == (f"<{link}?thread_ts={root.ts}&amp;cid={alias}|there>")


async def test_an_alias_leads_as_well_as_an_id_and_a_room_becomes_its_channel(stage: Stage) -> None:
    stage.workspace.person("alice").post("general", "the target")
    shown = await event(stage, "general", "the target")
    channel = stage.workspace.channel("general").id
    alias = f"#slack_{stage.workspace.id}_{channel}:localhost".lower()
    ada = await stage.person("ada", "random")
    await ada.say(await stage.room("random"), f"see https://matrix.to/#/{alias}/{shown['event_id']}")
    assert f"/archives/{channel}/p" in (await entry(stage, "random", "see <")).text
    html = f'in <a href="https://matrix.to/#/{alias}">there</a>'
    content = {"msgtype": "m.text", "body": "in there", "format": "org.matrix.custom.html", "formatted_body": html}
    await ada.send(await stage.room("random"), content)
    await entry(stage, "random", f"in <#{channel}>")


async def test_links_that_lead_elsewhere_stay(stage: Stage) -> None:
    alice, ada = stage.workspace.person("alice"), await stage.person("ada", "general")
    room, channel = await stage.room("general"), stage.workspace.channel("general").id
    target = alice.post("general", "the target")
    await event(stage, "general", "the target")
    name = f"p{target.ts.replace('.', '')}"
    for link in (
        f"https://other.slack.com/archives/{channel}/{name}",
        f"{stage.workspace.url}archives/{channel}/p1500000000000100",
        f"{stage.workspace.url}archives/C0NOWHERE/{name}",
        f"{stage.workspace.url}archives/C0NOWHERE",
    ):
        alice.post("general", f"see {link}")
        await event(stage, "general", f"see {link}")
    for link in (
        f"https://matrix.to/#/{room}/$unknown",
        "https://matrix.to/#/!unknown:localhost/$unknown",
        "https://matrix.to/#/#no-such-alias:localhost/$unknown",
        "https://matrix.to/#/#any:a-server-that-is-never-asked.example/$unknown",
        "https://matrix.to/#/#:localhost/$unknown",
    ):
        await ada.say(room, f"see {link}")
        assert (await entry(stage, "general", f"see <{link}")).text == f"see <{link}>"


async def test_a_link_to_a_deleted_message_stays(stage: Stage) -> None:
    alice = stage.workspace.person("alice")
    target = alice.post("general", "the target")
    link = permalink(stage, "general", target.ts)
    room = await stage.room("general")
    gone = (await event(stage, "general", "the target"))["event_id"]
    alice.delete("general", target.ts)
    await until(lambda: [line for line in stage.homeserver.timeline(room) if line.redacted])
    alice.post("general", f"it was {link}")
    await event(stage, "general", f"it was {link}")
    ada = await stage.person("ada", "general")
    await ada.say(room, f"it was https://matrix.to/#/{room}/{gone}")
    assert "matrix.to" in (await entry(stage, "general", "it was <https://matrix.to")).text


async def test_more_links_than_anybody_writes_are_left_alone(stage: Stage) -> None:
    alice = stage.workspace.person("alice")
    channel = stage.workspace.channel("general").id
    links = [f"{stage.workspace.url}archives/{channel}/p15000000000{number:05}" for number in range(120)]
    alice.post("general", " ".join(links))
    await event(stage, "general", " ".join(links))


async def test_the_public_listener_serves_links_and_the_avatar_that_slack_shows(sqlite_url: str) -> None:
    public = f"127.0.0.1:{free_port()}"
    more = {"public": {"listen": public, "url": f"http://{public}", "avatars": True}}
    async with Stage(sqlite_url, more, seed=town) as stage, aiohttp.ClientSession() as stranger:
        await stage.start()
        ada = await stage.person("ada", "general")
        room = await stage.room("general")
        await ada.set_avatar(await ada.upload(b"first picture", "image/png", "ada.png"))
        said = await ada.say(room, "m1")
        shown = await entry(stage, "general", "m1")
        channel = stage.workspace.channel("general")
        address = (stage.workspace.message(channel, shown.ts).icons or {})["image_48"]
        assert address.startswith(f"http://{public}/avatar/localhost/")
        async with stranger.get(address) as response:
            assert (response.content_type, await response.read()) == ("image/png", b"first picture")
        await ada.set_avatar(await ada.upload(b"second picture", "image/png", "ada.png"))
        await ada.say(room, "m2")
        shown = await entry(stage, "general", "m2")
        other = (stage.workspace.message(channel, shown.ts).icons or {})["image_48"]
        async with stranger.get(other) as response:
            assert await response.read() == b"second picture"
        old = permalink(stage, "general", (await entry(stage, "general", "m1")).ts)
        moved = old.replace(stage.workspace.url, f"http://{public}/")
        async with stranger.get(moved, allow_redirects=False) as response:
            assert response.status == 302
            assert response.headers["Location"] == f"https://matrix.to/#/{room}/{said}{VIA}"


async def test_without_the_listener_slack_shows_no_avatar(stage: Stage) -> None:
    ada = await stage.person("ada", "general")
    await ada.set_avatar(await ada.upload(b"picture", "image/png", "ada.png"))
    await ada.say(await stage.room("general"), "m1")
    shown = await entry(stage, "general", "m1")
    assert not stage.workspace.message(stage.workspace.channel("general"), shown.ts).icons
