"""What reads in Slack, built by hand in one place: direct conversations by the tokens of those who take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.conversations import ConversationStore
from bridge.work.eyes import Eyes
from config.manifest import asks_people

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.matrix.client import MatrixClient
    from bridge.slack.installation import Installation
    from bridge.store.database import Database
    from bridge.store.directory import Directory
    from bridge.store.people import People
    from bridge.work.hands import Hands
    from config.settings import Settings
    from portals.ids import GhostNames, TeamId


def carries_conversations(settings: Settings) -> bool:
    """Tell whether direct messages of people who connected their accounts are carried."""
    return settings.people.live_direct_messages and asks_people(settings)


def eyes_from(
    settings: Settings,
    names: GhostNames,
    database: Database,
    installations: Mapping[TeamId, Installation],
    directory: Directory,
    people: People,
    hands: Hands,
    matrix: MatrixClient,
) -> Eyes:
    """Return what reads in channels and conversations."""
    return Eyes(
        names=names,
        installations=installations,
        directory=directory,
        store=ConversationStore(database),
        people=people,
        hands=hands,
        matrix=matrix,
        rule=settings.people.direct_messages,
        wanted=carries_conversations(settings),
    )
