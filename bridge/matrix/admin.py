"""What Synapse tells a server admin of its accounts: whose an e-mail address or an identity of single sign-on is.

Sources: Synapse's admin API, "Find a user based on their ID in an auth provider", "Find a user based on their third
party ID", "Query User Account". Nothing is changed by any call, so all may be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mautrix.api import Method, SynapseAdminPath

from bridge.errors import Fatal, Refused
from bridge.matrix.wire import Wire
from portals.ids import MatrixUserId

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from mautrix.api import PathBuilder

    from bridge.matrix.wire import Json

_CONNECTIONS = 8


class Admin:
    """Asks as a server admin; made inside a running event loop, closed by its owner."""

    def __init__(self, homeserver: str, token: str, *, timeout: float = 60.0, verify_tls: bool = True) -> None:
        self._wire = Wire(homeserver, token, connections=_CONNECTIONS, timeout=timeout, verify_tls=verify_tls)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._wire.close()

    async def of_email(self, address: str) -> MatrixUserId | None:
        """Return the account that has confirmed this e-mail address, if any."""
        return await self._user(SynapseAdminPath.v1.threepid.email.users[address])

    async def of_identity(self, provider: str, identity: str) -> MatrixUserId | None:
        """Return the account that signs in with this identity at a provider (`oidc-…`, `saml`, `cas`), if any."""
        return await self._user(SynapseAdminPath.v1.auth_providers[provider].users[identity])

    async def is_active(self, account: MatrixUserId) -> bool:
        """Tell whether an account of the homeserver is there and can be used by its owner."""
        found = await self._ask(SynapseAdminPath.v2.users[account])
        return found is not None and not (found.get("deactivated") or found.get("locked"))

    async def _user(self, path: PathBuilder) -> MatrixUserId | None:
        found = await self._ask(path)
        user = found.get("user_id") if found is not None else None
        return MatrixUserId(user) if isinstance(user, str) else None

    async def _ask(self, path: PathBuilder) -> Json | None:
        """Return an answer, or None where the homeserver knows no such account."""
        try:
            return await self._wire.call(Method.GET, path)
        except Refused as refused:
            if refused.code == "M_NOT_FOUND":
                return None
            raise Refused(refused.code, refused.detail, _remedy(refused.code)) from refused
        except Fatal as error:
            raise Fatal(
                "the homeserver does not know homeserver.admin_token: copy the access token of a server admin anew"
            ) from error


def _remedy(code: str) -> str:
    if code == "M_FORBIDDEN":
        return "homeserver.admin_token must be the access token of a server admin"
    if code == "M_UNRECOGNIZED":
        return (
            "The homeserver does not tell whose an address is (its accounts may be kept by another service), or a "
            "proxy does not pass /_synapse/admin on: link people by a sheet, with `causeway people export` and `import`"
        )
    return ""
