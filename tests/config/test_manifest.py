"""The Slack app asks for what the bridge uses, and a missing permission can be explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from config import manifest
from config.document import read_document
from tests.config.conftest import RIGHT, Read

EVENTS = "  mode: events\n  events: {url: https://bridge.example.org}\n"


def values(text: str) -> Any:
    return read_document(text, "manifest.yaml").values


def test_is_plain_yaml_that_says_the_same_as_json(read: Read) -> None:
    settings = read()
    assert values(manifest.render(settings)) == json.loads(json.dumps(manifest.manifest(settings)))


def test_a_socket_app_has_no_request_url(read: Read) -> None:
    found = values(manifest.render(read()))["settings"]
    assert found["socket_mode_enabled"] is True
    assert "request_url" not in found["event_subscriptions"]


def test_an_events_app_has_the_public_address(read: Read) -> None:
    text = RIGHT.replace("  workspaces", EVENTS + "  workspaces").replace("app_token: xapp-1-abc", "signing_secret: s3")
    found = values(manifest.render(read(text)))["settings"]
    assert found["socket_mode_enabled"] is False
    assert found["event_subscriptions"]["request_url"] == "https://bridge.example.org/slack/events"


def test_names_keep_to_the_limits_of_slack(read: Read) -> None:
    text = RIGHT.replace("  hs_token", f"  bot_display_name: {'x' * 50}\n  bot_localpart: a/b=c\n  hs_token")
    found = manifest.manifest(read(text))
    assert found["display_information"] == {
        "name": "x" * 35,
        "description": "Carries messages between Slack and Matrix (example.org)",
    }
    assert found["features"] == {"bot_user": {"display_name": "a-b-c", "always_online": True}}


def test_nothing_is_asked_for_twice_or_without_use(read: Read) -> None:
    settings = read()
    assert len(set(manifest.scopes(settings))) == len(manifest.scopes(settings))
    assert len(set(manifest.events(settings))) == len(manifest.events(settings))
    for feature in manifest.FEATURES:
        assert feature.methods or feature.events, feature.name


def test_every_method_that_a_scope_is_asked_for_is_called_by_the_bridge() -> None:
    source = "".join(
        path.read_text() for path in sorted(Path(__file__).parents[2].joinpath("bridge", "slack").glob("*.py"))
    )
    for feature in manifest.FEATURES:
        for method in feature.methods:
            assert f'"{method}"' in source, method


def test_a_missing_scope_is_explained_with_the_line_to_add(read: Read) -> None:
    settings = read()
    (missing,) = manifest.missing_scopes(settings, set(manifest.scopes(settings)) - {"reactions:write"})
    assert (missing.scope, missing.feature) == ("reactions:write", "react")
    assert missing.methods == ("reactions.add", "reactions.remove")
    assert missing.line in manifest.render(read()).splitlines()


def test_no_scope_is_asked_for_what_the_settings_switch_off(read: Read) -> None:
    assert {"channels:write.topic", "groups:write.topic"} <= set(manifest.scopes(read()))
    settings = read(RIGHT + "relay: {topic: false}\n")
    assert not [scope for scope in manifest.scopes(settings) if scope.endswith(".topic")]
    assert manifest.missing_scopes(settings, manifest.scopes(settings)) == []


def test_what_a_move_takes_is_asked_for_where_channels_are_to_move(read: Read) -> None:
    takes = {"channels:manage", "groups:write"}
    assert not takes & set(manifest.scopes(read()))
    moving = manifest.scopes(read(RIGHT + "relay: {topic: false}\ncutover: {scopes: true}\n"))
    assert takes | {"channels:write.topic", "groups:write.topic"} <= set(moving)


def test_addresses_are_asked_for_where_people_are_matched_by_them(read: Read) -> None:
    assert "users:read.email" not in manifest.scopes(read())
    assert "users:read.email" in manifest.scopes(read(RIGHT + "people: {email: true}\n"))


def test_the_direct_messages_of_people_are_asked_for_where_they_are_wanted_alone(read: Read) -> None:
    connected = RIGHT + "      client_id: '1.2'\n      client_secret: s3cret\n"
    connected += "oauth: {key: kkkkkkkkkkkkkkkkkkkkkkkk}\npublic: {listen: 127.0.0.1:1, url: 'https://b.example.org'}\n"
    assert not {"im:history", "mpim:history"} & set(manifest.user_scopes(read(connected)))
    assert "user_events" not in values(manifest.render(read(connected)))["settings"]["event_subscriptions"]
    wanted = read(connected + "people: {live_direct_messages: true}\n")
    assert {"im:history", "mpim:history", "im:write", "mpim:write"} <= set(manifest.user_scopes(wanted))
    found = values(manifest.render(wanted))["settings"]["event_subscriptions"]
    assert found["user_events"] == ["message.im", "message.mpim", "reaction_added", "reaction_removed"]
    assert not {"im:history", "mpim:history"} & set(manifest.scopes(wanted))


def test_the_link_opens_slack_with_the_whole_manifest(read: Read) -> None:
    parts = urlsplit(manifest.link(read()))
    assert parts.netloc == "api.slack.com"
    assert parse_qs(parts.query)["manifest_yaml"] == [manifest.render(read())]
