"""Who gives commands, as the audit log names them."""

from __future__ import annotations

import getpass
import os

from bridge.administration.acting import Actor


def actor() -> Actor:
    """Return the account that runs this process, or the one that it was taken over from by sudo."""
    return Actor(os.environ.get("SUDO_USER") or getpass.getuser(), "command line")
