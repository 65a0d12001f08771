"""`causeway console` prints a link that signs an admin in, and says why it prints none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bridge.cli.bridged import bridged
from tests.sandbox.child import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway


async def test_an_admin_gets_a_link_and_others_are_told_why_not(
    causeway: Causeway, tmp_path: Path, sqlite_url: str
) -> None:
    listen = f"127.0.0.1:{free_port()}"
    async with bridged(
        causeway, tmp_path, sqlite_url, console={"listen": listen}, admins=["@alice:localhost"]
    ) as bridge:
        said = await bridge.say("console", "@alice:localhost")
        assert said.out.startswith(f"http://{listen}/sign-in?link=")
        refused = await bridge.say("console", "@zoe:localhost", code=1)
        assert (
            refused.err
            == "Error: @zoe:localhost is no admin: add them to `admins` in the configuration, or give them that level\n"
        )


async def test_without_a_console_it_says_how_to_have_one(causeway: Causeway, tmp_path: Path, sqlite_url: str) -> None:
    async with bridged(causeway, tmp_path, sqlite_url, admins=["@alice:localhost"]) as bridge:
        said = await bridge.say("console", "@alice:localhost", code=1)
        assert "set console.listen" in said.err
