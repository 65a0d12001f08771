"""The registration claims exactly the names that the bridge can make."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from config import registration
from config.document import read_document
from portals.ids import ChannelId, GhostNames, SlackUserId, TeamId
from tests.config.conftest import RIGHT, Read

if TYPE_CHECKING:
    from pathlib import Path


def namespaces(text: str) -> dict[str, list[str]]:
    found: Any = read_document(text, "registration.yaml").values["namespaces"]
    return {kind: [item["regex"] for item in items] for kind, items in found.items()}


def test_holds_what_a_homeserver_needs(read: Read) -> None:
    values = read_document(registration.render(read()), "registration.yaml").values
    assert values["as_token"] == "as-token-0123456789"
    assert values["hs_token"] == "hs-token-0123456789"
    assert values["sender_localpart"] == "causeway"
    assert values["rate_limited"] is False
    assert values["receive_ephemeral"] is True
    assert values["de.sorunome.msc2409.push_ephemeral"] is True
    assert values["url"] == "http://127.0.0.1:29330"


def test_claims_the_names_that_are_made_and_no_others(read: Read) -> None:
    settings = read(RIGHT.replace("  hs_token", "  ghost_localpart: 'st.{team}={user}+x'\n  hs_token"))
    service = settings.appservice
    names = GhostNames("example.org", service.bot_localpart, service.ghost_localpart, service.alias_localpart)
    claimed = namespaces(registration.render(settings))
    ghost, bot = claimed["users"]
    (alias,) = claimed["aliases"]
    team = TeamId("T012AB")
    assert re.match(ghost, names.ghost(team, SlackUserId("U0XYZ9")))
    assert re.match(bot, names.bot)
    assert re.match(alias, f"#{names.alias_localpart(team, ChannelId('C1'))}:example.org")
    assert re.match(alias, f"#{names.space_alias_localpart(team)}:example.org")
    for stranger in (
        "@st.t1=u1+x:examplexorg",
        "@st.t1=u1+x:example.org.evil",
        "@stat1=u1+x:example.org",
        "@a:example.org",
    ):
        assert not re.match(ghost, stranger)
    assert not re.match(bot, "@causewayx:example.org")


def test_a_registration_that_agrees_has_no_differences(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "registration.yaml"
    path.write_text(registration.render(read()) + "io.element.msc4190: true\n")
    assert registration.differences(path, read()) == []


def test_each_difference_is_named_and_no_token_is_shown(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "registration.yaml"
    path.write_text(registration.render(read()).replace("receive_ephemeral: true\n", ""))
    changed = RIGHT.replace("as-token", "another").replace(
        "  hs_token",
        "  url: http://bridge:1\n  ghost_localpart: 'x_{team}_{user}'\n  bot_localpart: bridge\n  hs_token",
    )
    found = registration.differences(path, read(changed))
    assert [sentence.split()[0] for sentence in found] == [
        "url",
        "as_token",
        "sender_localpart",
        "namespaces.users",
        "receive_ephemeral",
    ]
    assert "0123456789" not in "".join(found)


PUPPETS = RIGHT + "double_puppet: {as_token: puppet-token-0123456789}\n"


def test_acting_as_people_is_off_and_has_a_registration_of_its_own_when_it_is_on(read: Read) -> None:
    assert registration.double_puppet(read()) is None
    settings = read(PUPPETS)
    values = registration.double_puppet(settings)
    assert values is not None
    assert read_document(registration.written(settings, values), "doublepuppet.yaml").values == values
    first = registration.registration(settings)
    assert values["url"] is None
    assert values["rate_limited"] is False
    for name in ("id", "as_token", "sender_localpart"):
        assert values[name] != first[name]


def test_it_claims_accounts_for_nobody_alone_and_no_others(read: Read) -> None:
    def claims(settings: Any) -> list[str]:
        values: Any = registration.double_puppet(settings)
        assert [item["exclusive"] for item in values["namespaces"]["users"]] == [False] * len(
            values["namespaces"]["users"]
        )
        return [item["regex"] for item in values["namespaces"]["users"]]

    (everybody,) = claims(read(PUPPETS))
    assert re.match(everybody, "@ada:example.org")
    assert not re.match(everybody, "@ada:example.org.evil")
    assert not re.match(everybody, "@ada:exampleXorg")
    some = PUPPETS.replace("}\n", ", accounts: ['@s?aff.*:example.org', '@ada+1:example.org']}\n")
    staff, ada = claims(read(some))
    assert re.match(staff, "@staff.eve:example.org")
    assert not re.match(staff, "@staffXeve:example.org")
    assert re.match(ada, "@ada+1:example.org")
    assert not re.match(ada, "@adaa1:example.org")


def test_the_second_file_is_compared_like_the_first(read: Read, tmp_path: Path) -> None:
    settings = read(PUPPETS)
    path = tmp_path / "doublepuppet.yaml"
    values = registration.double_puppet(settings)
    assert values is not None
    path.write_text(registration.written(settings, values))
    assert registration.differences(path, settings, values) == []
    path.write_text(
        path.read_text().replace("exclusive: false", "exclusive: true").replace("puppet-token", "other-token")
    )
    found = registration.differences(path, settings, values)
    assert [sentence.split()[0] for sentence in found] == ["as_token", "namespaces.users"]
    assert "0123456789" not in "".join(found)
