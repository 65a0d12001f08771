"""Who may ask what, from both sides."""

from __future__ import annotations

import pytest

from portals.commands.command import (
    AskLink,
    Bridge,
    ChangeParked,
    ChangePortal,
    Command,
    ConfirmLink,
    ConfirmPlumb,
    Connect,
    Consent,
    Console,
    Disconnect,
    Help,
    ImportStatus,
    InstallLink,
    InviteBot,
    InviteMe,
    LinkPerson,
    ListParked,
    ListPortals,
    Plumb,
    Report,
    Status,
    Unlink,
)
from portals.commands.levels import NEEDED, Level, Rights, needed
from portals.ids import MatrixUserId

RULES = {"@ada:here": Level.ADMIN, "@mallory:here": Level.NONE, "*:here": Level.USER, "*": Level.NONE}


@pytest.mark.parametrize(
    ("user", "level"),
    [
        ("@ada:here", Level.ADMIN),
        ("@bert:here", Level.USER),
        ("@mallory:here", Level.NONE),
        ("@ada:elsewhere", Level.NONE),
        ("@eve:not.here", Level.NONE),
        ("@listed:elsewhere", Level.ADMIN),
        ("@here", Level.NONE),
    ],
)
def test_the_rule_of_the_person_counts_before_that_of_the_server(user: str, level: Level) -> None:
    assert Rights(RULES, ("@listed:elsewhere",), "!slack").level(MatrixUserId(user)) is level


def test_without_rules_nobody_may_ask_but_admins() -> None:
    rights = Rights({}, ("@ada:here",), "!slack")
    assert rights.level(MatrixUserId("@ada:here")) is Level.ADMIN
    assert rights.level(MatrixUserId("@bert:here")) is Level.NONE


def test_everybody_may_be_a_user() -> None:
    assert Rights({"*": Level.USER}, (), "!slack").level(MatrixUserId("@a:b")) is Level.USER


@pytest.mark.parametrize(
    "command",
    [
        *(Help(), Status(), ListPortals(), InviteMe("#a"), AskLink("U1"), ConfirmLink("c"), Unlink()),
        *(Consent(given=True), Connect(), Disconnect()),
    ],
)
def test_what_is_ones_own_takes_a_user(command: Command) -> None:
    assert needed(command) is Level.USER


@pytest.mark.parametrize(
    "command",
    [
        *(Bridge("#a"), ChangePortal("pause"), Plumb("#a"), ConfirmPlumb("c"), InviteBot("#a"), Unlink("U1")),
        *(LinkPerson("U1", "@a:b"), ListParked(), ChangeParked("drop", 1), ImportStatus(), Report(), Console()),
        InstallLink(),
    ],
)
def test_what_is_others_takes_an_admin(command: Command) -> None:
    assert needed(command) is Level.ADMIN


def test_every_command_takes_some_level() -> None:
    assert Level.NONE not in NEEDED.values()
