"""Asking the homeserver, as one of its admins, whether accounts are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.matrix.admin import Admin
    from config.settings import Settings
    from portals.ids import MatrixUserId


def asking(settings: Settings) -> Admin:
    """Return what asks the homeserver as a server admin, to be entered."""
    from bridge.matrix.admin import Admin

    token, homeserver = settings.homeserver.admin_token, settings.homeserver
    assert token is not None
    return Admin(homeserver.address, token.reveal(), verify_tls=homeserver.verify_tls)


async def missing_accounts(settings: Settings, accounts: Iterable[MatrixUserId]) -> list[MatrixUserId]:
    """Return those of the homeserver's own accounts that are not there, or not fit for use.

    Without homeserver.admin_token nobody can be asked, and nothing is missing.
    """
    own = [account for account in accounts if account.endswith(f":{settings.homeserver.domain}")]
    if settings.homeserver.admin_token is None or not own:
        return []
    async with asking(settings) as admin:
        return [account for account in own if not await admin.is_active(account)]
