"""A key that seals secrets is exchanged wholly or not at all, and what it sealed goes on to be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import vodozemac

from bridge.administration.rotation import Key, rotate
from bridge.errors import Declined, StoreTaken
from bridge.matrix.encryption.signing import CrossSigning
from bridge.matrix.encryption.vault import Vault
from bridge.oauth.seal import Seal
from bridge.store.audit import Audit
from bridge.store.grants import Grants, Tokens
from bridge.store.keys import Keys, OwnDevice
from bridge.store.opening import open_database
from config.reference import render
from portals.ids import MatrixUserId, RoomId, SlackUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.store.database import Database
    from config.document import Plain
    from tests.bridge.cli.conftest import Causeway

OLD, NEW = "the-old-key-0123456789", "the-new-key-0123456789"
USER = MatrixUserId("@causeway:localhost")
TEAM, ALICE = TeamId("T1"), SlackUserId("UALICE")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A store with one secret of each kind."""
    database = await open_database(database_url)
    vault, keys = Vault(OLD), Keys(database)
    await vault.check(keys)
    account, group = vodozemac.Account(), vodozemac.GroupSession()
    account.generate_one_time_keys(1)
    (one_time,) = account.one_time_keys.values()
    session = vodozemac.Account().create_outbound_session(account.curve25519_key, one_time)
    signing = vault.seal(CrossSigning.made().written(), f"signing {USER}")
    await keys.add_own(OwnDevice(USER, "D1", account.pickle(vault.pickle_key), signing))
    inbound = vodozemac.InboundGroupSession(group.session_key).pickle(vault.pickle_key)
    await database.commit(
        *keys.put_olm(USER, "curve", "s1", session.pickle(vault.pickle_key)),
        *keys.put_file("mxc://hs/1", vault.seal("{}", "file mxc://hs/1")),
    )
    await database.fetch(
        "INSERT INTO outbound_sessions (owner, room, session_id, session, made_at, sent)"
        " VALUES ($1, '!r', 's', $2, 1, 0) RETURNING room",
        USER,
        group.pickle(vault.pickle_key),
    )
    await database.fetch(
        "INSERT INTO inbound_sessions (room, session_id, sender, sender_key, signing_key, first_index, session)"
        " VALUES ('!r', 's', $1, 'k', 'k', 0, $2) RETURNING room",
        USER,
        inbound,
    )
    seal = Seal(OLD)
    given = Tokens(seal.close("xoxp-token", TEAM, ALICE), seal.close("xoxe-refresh", TEAM, ALICE), 1)
    await Grants(database).connect(TEAM, ALICE, MatrixUserId("@alice:localhost"), RoomId("!r"), given, "a test")
    yield database
    await database.close()


async def pickles(database: Database) -> list[str]:
    found = []
    for table, column in (
        ("own_devices", "account"),
        ("olm_sessions", "session"),
        ("outbound_sessions", "session"),
        ("inbound_sessions", "session"),
    ):
        found += [row[0] for row in await database.fetch(f"SELECT {column} FROM {table}")]
    return found


async def test_all_that_a_key_sealed_opens_with_the_new_one_alone(database: Database) -> None:
    before = await pickles(database)
    assert await rotate(database, Key.ENCRYPTION, OLD, NEW, "an admin") == 6
    assert await rotate(database, Key.OAUTH, OLD, NEW, "an admin") == 1
    new = Vault(NEW)
    await new.check(Keys(database))
    account, olm, outbound, inbound = await pickles(database)
    assert not set(before) & {account, olm, outbound, inbound}
    vodozemac.Account.from_pickle(account, new.pickle_key)
    vodozemac.Session.from_pickle(olm, new.pickle_key)
    group = vodozemac.GroupSession.from_pickle(outbound, new.pickle_key)
    reading = vodozemac.InboundGroupSession.from_pickle(inbound, new.pickle_key)
    assert reading.decrypt(group.encrypt(b"still read")).plaintext == b"still read"
    ((signing,),) = await database.fetch("SELECT signing FROM own_devices")
    CrossSigning.read(new.open(signing, f"signing {USER}"))
    ((file,),) = await database.fetch("SELECT sealed FROM file_keys")
    assert new.open(file, "file mxc://hs/1") == "{}"
    grant = await Grants(database).of(TEAM, ALICE)
    assert grant is not None
    assert Seal(NEW).open(grant.tokens.token, TEAM, ALICE) == "xoxp-token"
    assert Seal(NEW).open(grant.tokens.refresh, TEAM, ALICE) == "xoxe-refresh"
    entries = [(one.act, one.subject) for one in await Audit(database).entries()]
    assert entries[-2:] == [("rotate", "encryption.key"), ("rotate", "oauth.key")]


@pytest.mark.parametrize("key", list(Key))
async def test_with_another_old_key_nothing_changes(database: Database, key: Key) -> None:
    before, entries = await pickles(database), await Audit(database).entries()
    with pytest.raises(Declined, match="nothing changed"):
        await rotate(database, key, "no-key-of-this-store", NEW, "an admin")
    assert await pickles(database) == before
    assert await Audit(database).entries() == entries


async def test_what_does_not_open_keeps_everything_as_it_was(database: Database) -> None:
    await database.fetch("UPDATE file_keys SET sealed = 'bm90aGluZw' RETURNING mxc")
    before = await pickles(database)
    with pytest.raises(Declined):
        await rotate(database, Key.ENCRYPTION, OLD, NEW, "an admin")
    assert await pickles(database) == before


async def test_a_running_bridge_keeps_its_keys(sqlite_url: str) -> None:
    bridge, command = await open_database(sqlite_url), await open_database(sqlite_url)
    try:
        await bridge.own()
        with pytest.raises(StoreTaken):
            await rotate(command, Key.ENCRYPTION, OLD, NEW, "an admin")
    finally:
        await command.close()
        await bridge.close()


def test_the_command_takes_the_new_key_from_where_it_is_kept(causeway: Causeway, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    values: dict[str, Plain] = {
        "homeserver": {"domain": "localhost"},
        "appservice": {"as_token": "as" * 12, "hs_token": "hs" * 12},
        "database": {"url": f"sqlite:///{tmp_path / 'causeway.db'}"},
        "slack": {"workspaces": [{"name": "acme", "bot_token": "xoxb-1", "app_token": "xapp-1"}]},
        "encryption": {"key": {"credential": "key"}},
    }
    config.write_text(render(values))
    (tmp_path / "key").write_text(OLD)
    (tmp_path / "new").write_text(f"{NEW}\n")
    rotating = ("keys", "rotate", "encryption", "-c", config, "--new")
    here = str(tmp_path)
    said = causeway(*rotating, "credential:new", CREDENTIALS_DIRECTORY=here)
    assert "0 secrets are sealed" in said.out
    assert "encryption.key" in said.out
    assert "nothing would change" in causeway(*rotating, "file:key", code=2, CREDENTIALS_DIRECTORY=here).err
    refused = causeway(*rotating, NEW, code=2, CREDENTIALS_DIRECTORY=here).err
    assert NEW not in refused
    assert "credential:NAME" in refused
    assert (
        "oauth.key is blank"
        in causeway(
            "keys", "rotate", "oauth", "-c", config, "--new", "file:new", code=2, CREDENTIALS_DIRECTORY=here
        ).err
    )
    assert "systemd passed none" in causeway(*rotating, "file:new", code=78).err
