"""Where Slack finds the picture of a Matrix person: at an address that only the bridge can have made.

An address carries a signature over the picture's name, so nobody can have the bridge fetch a picture that it did not
show itself; it never expires, because Slack fetches the picture anew whenever an old message is looked at. The key
comes from a secret that the bridge has anyway: a new secret makes new addresses, and the old ones end.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from urllib.parse import quote

_MXC = re.compile(r"mxc://([A-Za-z0-9\[][A-Za-z0-9.\-:\]]{0,254})/([A-Za-z0-9_\-]{1,255})")


@dataclass(frozen=True, slots=True)
class AvatarAddresses:
    """Makes and recognises addresses below `url`, the public address of the bridge without a closing slash."""

    url: str
    key: bytes = field(repr=False)

    def of(self, mxc: str) -> str:
        """Return the address of a picture; empty for what is no `mxc:` address."""
        found = _MXC.fullmatch(mxc)
        if found is None:
            return ""
        return f"{self.url}/avatar/{quote(found[1], safe=':')}/{found[2]}/{self._signature(mxc)}"

    def picture(self, server: str, media: str, signature: str) -> str | None:
        """Return the `mxc:` address that the last three parts of an address stand for; None if it is not ours."""
        mxc = f"mxc://{server}/{media}"
        if _MXC.fullmatch(mxc) is None:
            return None
        ours = hmac.compare_digest(self._signature(mxc).encode(), signature.encode(errors="replace"))
        return mxc if ours else None

    def _signature(self, mxc: str) -> str:
        return urlsafe_b64encode(hmac.digest(self.key, mxc.encode(), "sha256")).decode().rstrip("=")


def key_from(secret: str) -> bytes:
    """Return the key of the signatures that a secret yields; it tells nothing about the secret."""
    return hmac.digest(secret.encode(), b"causeway: addresses of avatars, 1", "sha256")
