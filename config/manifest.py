"""The Slack app manifest: what the bridge asks Slack for, and for each permission the reason.

Each feature below names the scopes, the Web API methods that need them and the events that it listens for. The
manifest is their sum, so nothing is asked for without use, and whoever finds a scope missing can be told what stops
working and which line to add. The app-level token's own scope stands in no manifest: it is chosen with that token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from config.reference import block

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from config.document import Plain
    from config.settings import Settings


CONNECTED = "/slack/connected"
INSTALLED = "/slack/installed"
"""The paths at the public address to which Slack leads people back, and admins who have installed the app."""


def asks_people(settings: Settings) -> bool:
    """Whether people may connect their own accounts."""
    return any(workspace.client_id is not None for workspace in settings.slack.workspaces)


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that the bridge does in Slack, and what it takes."""

    name: str
    scopes: tuple[str, ...]
    methods: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    wanted: Callable[[Settings], bool] = lambda settings: True
    user_scopes: tuple[str, ...] = ()
    """What people are asked for who connect their own accounts."""
    user_events: tuple[str, ...] = ()
    """What is listened for on behalf of people who have connected theirs."""


FEATURES = (
    Feature(
        "see public channels, their names and members",
        ("channels:read",),
        ("conversations.list", "conversations.info", "conversations.members"),
        (
            "channel_rename",
            "channel_archive",
            "channel_unarchive",
            "channel_deleted",
            "channel_left",
            "member_joined_channel",
            "member_left_channel",
        ),
    ),
    Feature(
        "read messages of public channels",
        ("channels:history",),
        ("conversations.history", "conversations.replies"),
        ("message.channels",),
    ),
    Feature("join public channels that are mapped", ("channels:join",), ("conversations.join",)),
    Feature(
        "see private channels that the bot was invited to",
        ("groups:read",),
        ("conversations.list", "conversations.info", "conversations.members"),
        ("group_rename", "group_archive", "group_unarchive", "group_deleted", "group_left", "channel_id_changed"),
    ),
    Feature(
        "read messages of private channels that the bot was invited to",
        ("groups:history",),
        ("conversations.history", "conversations.replies"),
        ("message.groups",),
    ),
    Feature(
        "recognise its own messages after a failure",
        ("metadata.message:read",),
        ("conversations.history", "conversations.replies"),
    ),
    Feature("post, edit and delete messages", ("chat:write",), ("chat.postMessage", "chat.update", "chat.delete")),
    Feature("post under the names of Matrix people", ("chat:write.customize",), ("chat.postMessage",)),
    Feature("see reactions", ("reactions:read",), events=("reaction_added", "reaction_removed")),
    Feature("react", ("reactions:write",), ("reactions.add", "reactions.remove")),
    Feature("see what is pinned", ("pins:read",), ("pins.list",), ("pin_added", "pin_removed")),
    Feature("pin", ("pins:write",), ("pins.add", "pins.remove")),
    Feature(
        "show the bookmarks of channels",
        ("bookmarks:read",),
        ("bookmarks.list",),
        wanted=lambda settings: bool(settings.relay.bookmarks),
    ),
    Feature(
        "set the topic of public channels",
        ("channels:write.topic",),
        ("conversations.setTopic",),
        wanted=lambda settings: settings.relay.topic or settings.cutover.scopes,
    ),
    Feature(
        "set the topic of private channels",
        ("groups:write.topic",),
        ("conversations.setTopic",),
        wanted=lambda settings: settings.relay.topic or settings.cutover.scopes,
    ),
    Feature(
        "archive public channels that have moved to Matrix",
        ("channels:manage",),
        ("conversations.archive",),
        wanted=lambda settings: settings.cutover.scopes,
    ),
    Feature(
        "archive private channels that have moved to Matrix",
        ("groups:write",),
        ("conversations.archive",),
        wanted=lambda settings: settings.cutover.scopes,
    ),
    Feature("read files", ("files:read",), ("files.info",)),
    Feature(
        "share files",
        ("files:write",),
        ("files.getUploadURLExternal", "files.completeUploadExternal", "files.delete"),
    ),
    Feature(
        "know people's names and avatars",
        ("users:read",),
        ("users.list", "users.info", "bots.info"),
        ("user_change", "team_join"),
    ),
    Feature(
        "match people by their e-mail addresses",
        ("users:read.email",),
        ("users.list",),
        wanted=lambda settings: settings.people.email,
    ),
    Feature(
        "prove by a direct message that a Slack account is somebody's",
        ("im:write", "im:history"),
        ("conversations.open", "conversations.history"),
        wanted=lambda settings: settings.commands.self_link,
    ),
    Feature(
        "know the names of user groups",
        ("usergroups:read",),
        ("usergroups.list",),
        ("subteam_created", "subteam_updated"),
    ),
    Feature(
        "write as people who have connected their own accounts",
        (),
        ("oauth.v2.access", "auth.revoke"),
        ("tokens_revoked", "app_uninstalled"),
        wanted=asks_people,
        user_scopes=("chat:write", "files:read", "files:write", "reactions:write"),
    ),
    Feature(
        "carry the direct messages of people who have connected their own accounts",
        (),
        ("conversations.open", "conversations.list", "conversations.info", "conversations.members"),
        wanted=lambda settings: asks_people(settings) and settings.people.live_direct_messages,
        user_scopes=(
            *("im:history", "im:read", "im:write", "mpim:history", "mpim:read", "mpim:write"),
            *("reactions:read", "metadata.message:read"),
        ),
        user_events=("message.im", "message.mpim", "reaction_added", "reaction_removed"),
    ),
    Feature("show custom emoji", ("emoji:read",), ("emoji.list",), ("emoji_changed",)),
    Feature("know the workspace's name", ("team:read",), ("team.info",)),
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A scope that a token lacks: what does not work without it, and the manifest's line for it."""

    scope: str
    feature: str
    methods: tuple[str, ...]

    @property
    def line(self) -> str:
        return f"      - {self.scope}"


def features(settings: Settings) -> tuple[Feature, ...]:
    """What is used with these settings."""
    return tuple(feature for feature in FEATURES if feature.wanted(settings))


def scopes(settings: Settings) -> tuple[str, ...]:
    """All bot scopes."""
    return tuple(scope for feature in features(settings) for scope in feature.scopes)


def events(settings: Settings) -> tuple[str, ...]:
    """All bot events."""
    return tuple(event for feature in features(settings) for event in feature.events)


def user_scopes(settings: Settings) -> tuple[str, ...]:
    """All scopes that people are asked for."""
    return tuple(scope for feature in features(settings) for scope in feature.user_scopes)


def user_events(settings: Settings) -> tuple[str, ...]:
    """All events that are listened for on behalf of people."""
    return tuple(event for feature in features(settings) for event in feature.user_events)


def missing_scopes(settings: Settings, granted: Collection[str]) -> list[Missing]:
    """The scopes that a bot token lacks, given what Slack says that it has (header X-OAuth-Scopes)."""
    return [
        Missing(scope, feature.name, feature.methods)
        for feature in features(settings)
        for scope in feature.scopes
        if scope not in granted
    ]


def manifest(settings: Settings) -> dict[str, Plain]:
    """The manifest as values."""
    socket = settings.slack.mode == "socket"
    bot_events: list[Plain] = [*sorted(events(settings))]
    bot_scopes: list[Plain] = [*sorted(scopes(settings))]
    subscriptions: dict[str, Plain] = {"bot_events": bot_events}
    if of_theirs := user_events(settings):
        subscriptions["user_events"] = [*sorted(of_theirs)]
    if not socket:
        address = (settings.slack.events.url or "") + settings.slack.events.path
        subscriptions = {"request_url": address, **subscriptions}
    name = settings.appservice.bot_display_name
    bot = re.sub(r"[^a-z0-9._-]", "-", settings.appservice.bot_localpart)
    oauth: dict[str, Plain] = {"scopes": {"bot": bot_scopes}}
    if of_people := user_scopes(settings):
        back: list[Plain] = [f"{settings.public.url}{path}" for path in (CONNECTED, INSTALLED)]
        oauth = {"redirect_urls": back, "scopes": {"bot": bot_scopes, "user": [*sorted(of_people)]}}
        if settings.oauth.pkce:
            oauth["pkce_enabled"] = True
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": name[:35],
            "description": f"Carries messages between Slack and Matrix ({settings.homeserver.domain})"[:140],
        },
        "features": {"bot_user": {"display_name": bot[:80], "always_online": True}},
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": subscriptions,
            "interactivity": {"is_enabled": False},
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": settings.oauth.rotation,
        },
    }


def render(settings: Settings) -> str:
    """The manifest as YAML, as Slack's form takes it."""
    return "".join(line + "\n" for line in block(manifest(settings)))


def link(settings: Settings) -> str:
    """The address that opens Slack's form for a new app with this manifest in it."""
    return "https://api.slack.com/apps?new_app=1&manifest_yaml=" + quote(render(settings), safe="")
