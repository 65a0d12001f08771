"""Whether a direct message may cross: only where those who had it agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

    from portals.ids import SlackUserId

Rule = Literal["everybody", "anybody"]


def dm_is_allowed(members: Collection[SlackUserId], consents: Collection[SlackUserId], rule: Rule) -> bool:
    """Tell whether the direct messages of these people may be brought across.

    `members` are the people who take part (bots cannot agree: leave them out), `consents` those who agreed. By the rule
    `everybody` each of them must have agreed, by `anybody` one is enough. Nobody's messages are allowed by nobody.
    """
    agreed = [member in consents for member in members]
    return bool(agreed) and (all(agreed) if rule == "everybody" else any(agreed))
