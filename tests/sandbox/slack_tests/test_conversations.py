from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.slack_tests.conftest import Bench


async def test_the_list_shows_public_channels_and_own_private_ones(bench: Bench) -> None:
    alice = bench.team.person("alice")
    alice.create("open")
    alice.create("secret", private=True)
    alice.create("shared-secret", private=True, members=[bench.team.installation.bot_user])
    everything = await bench.web.conversations_list(types="public_channel,private_channel,im,mpim")
    assert [channel["name"] for channel in everything["channels"]] == ["general", "open", "shared-secret"]
    usual = await bench.web.conversations_list()
    assert [channel["is_member"] for channel in usual["channels"]] == [True, False]
    mine = await bench.web.users_conversations(types="public_channel,private_channel")
    assert [channel["name"] for channel in mine["channels"]] == ["general", "shared-secret"]


async def test_each_type_listed_needs_its_scope(bench: Bench) -> None:
    bench.team.installation.token.scopes.discard("groups:read")
    body = await bench.refusal(bench.web.conversations_list(types="public_channel,private_channel"))
    assert (body["error"], body["needed"]) == ("missing_scope", "groups:read")
    assert await bench.error(bench.web.conversations_list(types="rooms")) == "invalid_types"


async def test_pages_are_cut_before_archived_channels_are_left_out(bench: Bench) -> None:
    alice = bench.team.person("alice")
    for name in ("a", "b", "c"):
        alice.create(name)
    alice.archive("#a")
    alice.archive("#b")
    names, cursor, lengths = [], "", []
    while True:
        answer = await bench.web.conversations_list(exclude_archived=True, limit=1, cursor=cursor)
        names += [channel["name"] for channel in answer["channels"]]
        lengths.append(len(answer["channels"]))
        cursor = answer["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert names == ["general", "c"]
    assert lengths == [1, 0, 0, 1]
    assert await bench.error(bench.web.conversations_list(limit=1001)) == "invalid_limit"


async def test_joining_works_for_public_channels_only(bench: Bench) -> None:
    alice = bench.team.person("alice")
    public, secret = alice.create("open"), alice.create("secret", private=True)
    await bench.web.conversations_join(channel=public.id)
    assert (await bench.web.conversations_join(channel=public.id))["warning"] == "already_in_channel"
    assert await bench.error(bench.web.conversations_join(channel=secret.id)) == "channel_not_found"
    alice.archive("#open")
    assert await bench.error(bench.web.conversations_join(channel=public.id)) == "is_archived"


async def test_members_come_in_pages(bench: Bench) -> None:
    first = await bench.web.conversations_members(channel=bench.general, limit=2)
    rest = await bench.web.conversations_members(
        channel=bench.general, limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    assert len(first["members"]) == 2
    assert rest["members"] == [bench.team.installation.bot_user]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "invalid_name_required"),
        ("Loud", "invalid_name_specials"),
        ("two words", "invalid_name_specials"),
        ("a.b", "invalid_name_specials"),
        ("x" * 81, "invalid_name_maxlength"),
        ("---", "invalid_name_punctuation"),
        ("general", "name_taken"),
    ],
)
async def test_channel_names_keep_rules(bench: Bench, name: str, error: str) -> None:
    assert await bench.error(bench.web.conversations_create(name=name)) == error


async def test_a_bot_renames_only_what_it_made(bench: Bench) -> None:
    made = (await bench.web.conversations_create(name="made"))["channel"]["id"]
    await bench.web.conversations_rename(channel=made, name="renamed")
    assert bench.team.channels[made].name == "renamed"
    assert await bench.error(bench.web.conversations_rename(channel=bench.general, name="x")) == "not_authorized"


async def test_topic_and_purpose_are_at_most_250_characters(bench: Bench) -> None:
    await bench.web.conversations_setTopic(channel=bench.general, topic="t" * 250)
    await bench.web.conversations_setPurpose(channel=bench.general, purpose="p")
    call = bench.web.conversations_setTopic(channel=bench.general, topic="t" * 251)
    assert await bench.error(call) == "too_long"
    info = await bench.web.conversations_info(channel=bench.general, include_num_members=True)
    assert info["channel"]["topic"]["value"] == "t" * 250
    assert info["channel"]["purpose"]["value"] == "p"
    assert info["channel"]["num_members"] == 3


async def test_invite_and_kick_refuse_what_makes_no_sense(bench: Bench) -> None:
    carol = bench.team.add_user("carol")
    where: dict[str, Any] = {"channel": bench.general}
    await bench.web.conversations_invite(**where, users=carol.id)
    again = bench.web.conversations_invite(**where, users=carol.id)
    assert await bench.error(again) == "already_in_channel"
    assert await bench.error(bench.web.conversations_invite(**where, users="U0NOBODY")) == "user_not_found"
    me = bench.team.installation.bot_user
    assert await bench.error(bench.web.conversations_invite(**where, users=me)) == "cant_invite_self"
    assert await bench.error(bench.web.conversations_kick(**where, user=carol.id)) == "cant_kick_from_general"


async def test_leaving_and_archiving_general_is_refused(bench: Bench) -> None:
    assert await bench.error(bench.web.conversations_leave(channel=bench.general)) == "cant_leave_general"
    assert await bench.error(bench.web.conversations_archive(channel=bench.general)) == "cant_archive_general"


async def test_no_bot_opens_an_archived_channel(bench: Bench) -> None:
    channel = bench.team.person("alice").create("moved", members=[bench.team.installation.bot_user])
    await bench.web.conversations_archive(channel=channel.id)
    assert await bench.error(bench.web.conversations_unarchive(channel=channel.id)) == "not_in_channel"
    assert channel.archived


async def test_a_direct_conversation_is_opened_once(bench: Bench) -> None:
    bob = bench.team.user("bob")
    first = await bench.web.conversations_open(users=bob.id)
    again = await bench.web.conversations_open(users=bob.id, return_im=True)
    assert first["channel"]["id"] == again["channel"]["id"]
    assert again["channel"]["user"] == bob.id
    group = await bench.web.conversations_open(users=[bob.id, bench.team.user("alice").id], return_im=True)
    assert group["channel"]["is_mpim"] is True
    posted = await bench.web.chat_postMessage(channel=bob.id, text="psst")
    assert posted["channel"] == first["channel"]["id"]


async def test_emails_show_only_to_those_who_may_read_them(bench: Bench) -> None:
    bob = bench.team.user("bob")
    assert (await bench.web.users_info(user=bob.id))["user"]["profile"]["email"] == "bob@acme.example"
    assert (await bench.web.users_lookupByEmail(email="bob@acme.example"))["user"]["id"] == bob.id
    bench.team.installation.token.scopes.discard("users:read.email")
    assert "email" not in (await bench.web.users_info(user=bob.id))["user"]["profile"]
    assert await bench.error(bench.web.users_info(user="U0NOBODY")) == "user_not_found"


async def test_people_come_in_pages_bots_and_the_deleted_included(bench: Bench) -> None:
    bench.team.add_user("gone", deleted=True)
    names, cursor = [], ""
    while True:
        answer = await bench.web.users_list(limit=2, cursor=cursor)
        names += [user["name"] for user in answer["members"]]
        cursor = answer["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert names == ["slackbot", "causeway", "alice", "bob", "gone"]


async def test_what_people_do_to_a_channel_is_told(bench: Bench) -> None:
    app = await bench.listen()
    alice = bench.team.person("alice")
    alice.create("news", members=[bench.team.installation.bot_user])
    bench.team.person("bob").join("#news")
    alice.set_topic("#news", "All the news")
    alice.rename("#news", "olds")
    bench.team.person("bob").leave("#olds")
    alice.archive("#olds")
    await bench.slack.until(lambda: app.of("channel_archive"))
    await bench.slack.delivered()
    kinds = [event.get("subtype") or event["type"] for event in app.events]
    assert kinds == [
        "channel_created",
        "channel_join",
        "member_joined_channel",
        "channel_join",
        "member_joined_channel",
        "channel_topic",
        "channel_name",
        "channel_rename",
        "member_left_channel",
        "channel_leave",
        "channel_archive",
        "channel_archive",
    ]
    renamed = app.of("message", "channel_name")[0]
    assert (renamed["old_name"], renamed["name"]) == ("news", "olds")
    assert app.of("message", "channel_topic")[0]["topic"] == "All the news"


async def test_a_topic_needs_its_own_scope_or_that_for_all(bench: Bench) -> None:
    scopes = bench.team.installation.token.scopes
    scopes.discard("channels:manage")
    await bench.web.conversations_setTopic(channel=bench.general, topic="t")
    scopes.discard("channels:write.topic")
    scopes -= {"groups:write", "groups:write.topic", "im:write", "im:write.topic", "mpim:write", "mpim:write.topic"}
    body = await bench.refusal(bench.web.conversations_setTopic(channel=bench.general, topic="u"))
    assert body["error"] == "missing_scope"


async def test_a_channel_becomes_private_and_ends(bench: Bench) -> None:
    alice, general = bench.team.person("alice"), bench.general
    alice.convert_to_private("#general")
    info = await bench.web.conversations_info(channel=general)
    assert info["channel"]["is_private"] is True
    bench.team.user("alice").is_admin = True
    alice.delete_channel("#general")
    assert await bench.error(bench.web.conversations_info(channel=general)) == "channel_not_found"


async def test_what_is_said_directly_reaches_an_app_once_on_behalf_of_somebody_who_agreed(bench: Bench) -> None:
    app = await bench.listen()
    bench.team.installation.app.user_subscriptions = {"message.im", "message.mpim", "reaction_added"}
    alice, bob = bench.team.person("alice"), bench.team.person("bob")
    chat = alice.direct("bob")
    alice.post(chat.id, "nobody agreed")
    tokens = [bench.slack.user_token(bench.team, who, ["im:history", "reactions:read"]) for who in ("alice", "bob")]
    said = bob.post(chat.id, "both agreed")
    alice.direct("bob", bench.team.installation.bot_user)
    bob.react(chat.id, said.ts, "+1")
    for token in tokens:
        bench.slack.revoke(token)
    alice.post(chat.id, "nobody does any more")
    alice.post("#general", "for the bot")
    await bench.slack.until(lambda: [one["text"] for one in app.of("message")] == ["both agreed", "for the bot"])
    direct, of_all = (one["authorizations"] for one in app.payloads if one["event"]["type"] == "message")
    assert [(one["user_id"], one["is_bot"]) for one in direct] == [(alice.id, False)]
    assert [(one["user_id"], one["is_bot"]) for one in of_all] == [(bench.team.installation.bot_user, True)]
    assert [one["item"]["ts"] for one in app.of("reaction_added")] == [said.ts]
