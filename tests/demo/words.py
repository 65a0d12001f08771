"""What both sides say, in one form that can be compared: who said which line, in whatever order and markup.

Markup, emoji and punctuation differ between the sides by right, so lines are compared by their letters and digits; a
message that one side had to split has the same lines on the other. Files are compared by name and digest.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.demo.matrix_side import Room, Shown
    from tests.demo.slack_side import Said

Piece = tuple[str, str]
"""Who, and the letters of one line or the name and digest of a file."""

_SLACK_REFERENCE = re.compile(r"<([@#!]?)([^|>]*)(?:\|([^>]*))?>")
_EMOJI_NAME = re.compile(r":[a-z0-9_+'-]+:(?::skin-tone-\d:)?")
_BREAK = re.compile(r"<br\s*/?>|</?(?:p|div|li|ul|ol|pre|blockquote|h\d)\b[^>]*>")
_FALLBACK = re.compile(r"<strong data-mx-profile-fallback>.*?</strong>|<mx-reply>.*?</mx-reply>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_WORD = re.compile(r"[^\W_]+")


def letters(line: str) -> str:
    """The letters and digits of a line."""
    return "".join(_WORD.findall(_EMOJI_NAME.sub("", line))).casefold()


def slack_lines(text: str, names: Mapping[str, str]) -> list[str]:
    """The lines of a Slack text, with names for mentions."""

    def shown(match: re.Match[str]) -> str:
        mark, what, label = match.groups()
        if mark == "!" and what.startswith("subteam^"):
            return names.get(what.removeprefix("subteam^"), label or "")
        return label or names.get(what, what)

    return html.unescape(_SLACK_REFERENCE.sub(shown, text)).splitlines()


def matrix_lines(shown: Shown) -> list[str]:
    """The lines of a Matrix message."""
    if not shown.html:
        return shown.body.splitlines()
    words = _BREAK.sub("\n", _FALLBACK.sub("", shown.html))
    return html.unescape(_TAG.sub("", words)).splitlines()


def slack_pieces(said: Iterable[Said], names: Mapping[str, str], bot: str) -> Counter[Piece]:
    """All that a channel says. A broadcast reply counts twice, for it stands in two places of a room."""
    pieces: Counter[Piece] = Counter()
    for one in said:
        if not one.is_speech:
            continue
        author, text = one.author, one.text
        if author == bot and one.files:  # Slack shows an app's files as the app's own: the comment names the author
            author, _, text = text.partition(":")
        for line in filter(None, map(letters, slack_lines(text, names))):
            pieces[author, line] += 2 if one.broadcast else 1
        for name, digest in one.files:
            pieces[author, f"{name} {digest}"] += 1
    return pieces


def matrix_pieces(room: Room, digests: Mapping[str, str], bot: str) -> Counter[Piece]:
    """All that a room says, the bridge's own notices apart; `digests` are those of files by their address."""
    pieces: Counter[Piece] = Counter()
    for one in room.messages.values():
        if one.redacted or one.sender == bot:
            continue
        author = one.content.get("com.beeper.per_message_profile", {}).get("displayname") or room.name_of(one.sender)
        url = one.content.get("url")
        if url is not None:
            pieces[author, f"{one.content.get('filename') or one.body} {digests.get(url, url)}"] += 1
        if url is None or one.content.get("filename", one.body) != one.body:
            for line in filter(None, map(letters, matrix_lines(one))):
                pieces[author, line] += 1
    return pieces


def slack_reactions(said: Iterable[Said], bot: str) -> Counter[Piece]:
    """(who, name of the emoji) of every reaction, those of the app itself apart."""
    return Counter((who, name) for one in said for name, people in one.reactions for who in people if who != bot)
