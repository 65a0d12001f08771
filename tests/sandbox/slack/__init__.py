"""A small, strict and honest Slack for tests and the demo.

It keeps Slack's rules as they are documented; it is never bent to make a test pass. Where nobody here can know what
real Slack does, `Reality` has a switch, and both answers can be played.

    async with SlackSandbox() as slack:
        team = slack.team()
        team.person("alice").post("#general", "hello")
"""

from __future__ import annotations

from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.faults import CallRecord, Kind
from tests.sandbox.slack.people import Person, Upload, bot_message
from tests.sandbox.slack.reality import ALL_BOT_SCOPES, ALL_SUBSCRIPTIONS, DeliveryTimes, Limits, Reality
from tests.sandbox.slack.server import SlackSandbox
from tests.sandbox.slack.transcript import Entry
from tests.sandbox.slack.workspace import Workspace

__all__ = [
    "ALL_BOT_SCOPES",
    "ALL_SUBSCRIPTIONS",
    "CallRecord",
    "DeliveryTimes",
    "Entry",
    "Kind",
    "Limits",
    "Person",
    "Reality",
    "SlackRefusal",
    "SlackSandbox",
    "Upload",
    "Workspace",
    "bot_message",
]
