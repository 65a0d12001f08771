"""The settings of moving channels to Matrix for good, and of what people are told then."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated

from pydantic import AfterValidator, Field

from config.section import Section
from config.values import Flag, template

_LINK = AfterValidator(template("link", "channel"))
_NAME = AfterValidator(template("channel"))


class CutOver(Section):
    """What people are told when `causeway cutover` moves a channel; link leads to its room, channel is its name."""

    scopes: Flag = Field(
        default=False,
        description="Whether the app asks Slack for what a move takes: setting topics and archiving channels.",
    )
    announcement: Annotated[str, AfterValidator(template("date", "link", "channel"))] = Field(
        default="On {date}, this channel moves to Matrix: {link} Everything that was said here is there already.",
        description="The announcement in Slack, in Slack's own formatting; date is what the command was given.",
    )
    announcement_in_matrix: Annotated[str, AfterValidator(template("date", "channel"))] = Field(
        default="On {date}, the Slack channel #{channel} is closed, and everything goes on in this room.",
        description="The announcement in Matrix, as plain text.",
    )
    topic: Annotated[str, _LINK] = Field(
        default="Moved to Matrix: {link}", description="The topic of a channel that has moved; Slack takes 250 signs."
    )
    notice: Annotated[str, _LINK] = Field(
        default="This channel has moved to Matrix: {link} Please go on there: what is said there is not shown here.",
        description="What a channel is told when it has moved.",
    )
    notice_in_matrix: Annotated[str, _NAME] = Field(
        default="The Slack channel #{channel} has moved here. What is said in this room is no longer shown in Slack.",
        description="What the room is told then.",
    )
    stray: Annotated[str, _LINK] = Field(
        default="This channel has moved to Matrix, and your message was carried there. Please go on in {link}",
        description="What somebody is told, once and in a thread, who still writes in it; blank tells nothing.",
    )
    recall: Annotated[str, _NAME] = Field(
        default="The move to Matrix is called off: this channel goes on here.",
        description="What the channel is told when its move is reverted.",
    )
    recall_in_matrix: Annotated[str, _NAME] = Field(
        default=(
            "The move is called off: the Slack channel #{channel} goes on, and shows what is said here from now on. "
            "What was said here meanwhile is not carried there."
        ),
        description="What the room is told then.",
    )
