"""What Slack tells of a workspace and not of a channel: people, names of emoji and groups, new ids, tokens that end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.work.profiles import person_of_user
from portals.events import SlackChannelIdChange, SlackNamesChange, SlackPersonChange, SlackTokensEnd
from portals.ids import SlackUserId

if TYPE_CHECKING:
    from bridge.work.answers import Answers
    from bridge.work.ghosts import Ghosts
    from bridge.work.hands import Hands
    from bridge.work.renumbering import Renumbering
    from bridge.work.vocabulary import Vocabulary
    from portals.events import Ignored, SlackEvent
    from portals.ids import TeamId


class WorkspaceNews:
    """Takes up what is no portal's."""

    def __init__(
        self, answers: Answers, ghosts: Ghosts, vocabulary: Vocabulary, hands: Hands, renumbering: Renumbering
    ) -> None:
        self._answers = answers
        self._ghosts = ghosts
        self._vocabulary = vocabulary
        self._hands = hands
        self._renumbering = renumbering

    async def take_up(self, team: TeamId, event: SlackEvent | Ignored, *, repeated: bool) -> None:
        """Take up an event; what it says may be out of date where it is `repeated`."""
        match event:
            case SlackPersonChange():
                user = SlackUserId(event.profile["id"])
                person = person_of_user(event.profile, user, self._answers.names, team)
                if repeated:  # they may have changed since
                    person = await self._answers.present_person(team, user) or person
                await self._ghosts.refresh(team, person)
            case SlackNamesChange():
                await self._vocabulary.take_up(team, event, repeated=repeated)
            case SlackChannelIdChange():
                await self._renumbering.follow(team, event.old, event.new)
            case SlackTokensEnd():
                await self._hands.tokens_end(team, event)
            case _:
                pass
