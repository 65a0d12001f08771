"""What a message says, in a form that two sides can compare: the same of the room, of the source, of a third party.

A room holds what a source cannot know: how a person was called when they were mentioned, whether a link to a message
of Slack's had a counterpart in Matrix at that time, where the picture of an emoji lies. So `said` takes from an event's
content what its author said, formatting included, and puts `<@U1>` (the person's Slack id, or their Matrix id where
they have none) for their name and for `@U0123ABCD`, which stands where nobody knew it, `place:` for such a link and
`:name:` for such a picture.

Each event that shows a part of a Slack message has a line:

    ["1700000000.000100","","U1","m.text","Hello <@U2>"]

a JSON array, without spaces and with every character as it is (UTF-8), of the Slack message's time stamp, the part of
the message that the event shows, its author's Slack id, the event's msgtype and what it says. The digest of a channel
is the SHA-256 of the SHA-256s of its lines, in hexadecimal digits, each ended by a line feed, ordered by time stamp and
then by part. The README has the same as a program of its own; a test holds the two together.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from portals.reading.values import mapping, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from portals.events import Json

    Who = Callable[[str], str]
    """Returns the Slack id of whom a Matrix user id stands for, or nothing."""

_HTML = "org.matrix.custom.html"
_PROFILE = "com.beeper.per_message_profile"
_NAME_BEFORE = re.compile(r"<strong data-mx-profile-fallback>[^<]{0,1000}</strong>")
_PICTURE = re.compile(r'<img data-mx-emoticon [^<>]{0,1000}?alt="([^"<>]{0,1000})"[^<>]{0,1000}>')
_PERSON = re.compile(r'<a href="https://matrix\.to/#/(@[^"?<>]{0,1000})[^"<>]{0,1000}">([^<]{0,1000})</a>')
_NAMELESS = re.compile(r"(?<![<\w])@([UWB][A-Z0-9]{6,31})(?!\w)")
"""Who was mentioned while nobody knew their name: a later message, or the list of people, may have told it since."""
_ROOM = re.compile(r'<a href="https://matrix\.to/#/[!#][^"/?<>]{0,1000}(?:\?[^"<>]{0,1000})?">(#[^<]{0,1000})</a>')
_PLACE = re.compile(
    r"https://(?:"
    r"[A-Za-z0-9.-]{1,100}\.slack\.com/archives/[A-Z0-9]{2,32}(?:/p[0-9]{1,24})?"
    r"(?:/?[?#][A-Za-z0-9_.=&;%-]{0,1000}[A-Za-z0-9])?"
    r"|matrix\.to/#/[!#][A-Za-z0-9_.~%:$/=?&;@!#-]{0,1000}[A-Za-z0-9_-]"
    r")"
)
_CHANNEL = re.compile(r"#[^\s<>&\"#]{1,120}")
_PARAGRAPH = re.compile(r"</?p>")


def said(content: Json, who: Who) -> str:
    """Return what the content of a message (of `m.new_content` for an edit) says, with its formatting."""
    words = text_of(content.get("formatted_body")) if content.get("format") == _HTML else ""
    if not words:
        words = _escaped(_without_name(content))
    words = _NAME_BEFORE.sub("", words, count=1)
    words = _PICTURE.sub(r"\1", words)
    words = _PERSON.sub(lambda found: _mention(found[1], who), words)
    words = _NAMELESS.sub(r"<@\1>", words)
    words = _ROOM.sub(r"\1", words)
    words = _PLACE.sub("place:", words)
    words = words.replace("</p><p>", "\n\n").replace("<br>", "\n").replace("\u00a0", " ")
    return _PARAGRAPH.sub("", words)


def without_channels(words: str) -> str:
    """Return words without the names of channels: a room may show one that a channel bore when it was mentioned."""
    return _CHANNEL.sub("#", words)


def plain(content: Json, who: Who) -> str:
    """Return what the content says to a client that shows no formatting, with ids for the names of those mentioned."""
    body = _without_name(content)
    if content.get("format") == _HTML:
        body = _with_ids(body, text_of(content.get("formatted_body")), who)
    return _PLACE.sub("place:", _NAMELESS.sub(r"<@\1>", body))


def _without_name(content: Json) -> str:
    """Return the body without the name that stands in it for clients that know no name of one message (MSC4144)."""
    body, profile = text_of(content.get("body")), mapping(content.get(_PROFILE))
    if profile.get("has_fallback") is True:
        return body.removeprefix(f"{text_of(profile.get('displayname'))}: ")
    return body


def _with_ids(body: str, html: str, who: Who) -> str:
    """Put the id of everybody who is mentioned for their name, in the order of the mentions."""
    out, rest = "", body
    for person, label in _PERSON.findall(html):
        before, name, after = rest.partition(_unescaped(label))
        if not name:
            break
        out, rest = f"{out}{before}{_mention(person, who)}", after
    return out + rest


def _mention(quoted: str, who: Who) -> str:
    user = unquote(quoted)
    return f"<@{who(user) or user}>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _unescaped(text: str) -> str:
    return text.replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def line(ts: str, part: str, author: str, msgtype: str, words: str) -> str:
    """Return the SHA-256 of the line of one part of a message."""
    written = json.dumps([ts, part, author, msgtype, words], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode(errors="surrogatepass")).hexdigest()


def short(text: str) -> str:
    """Return a name for a text that is short enough to keep for each of a million messages."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=12).hexdigest()


def rank(ts: str) -> str:
    """Return what orders time stamps by time."""
    return ts.zfill(20)


class Digest:
    """The digest of a channel, made of the SHA-256s of its lines in their order."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._found = hashlib.sha256()
        self.lines = 0
        """How many lines it is made of."""
        for one in lines:
            self.add(one)

    def add(self, line: str) -> None:
        """Add the next line, given by its SHA-256."""
        self._found.update(f"{line}\n".encode())
        self.lines += 1

    def __str__(self) -> str:
        return self._found.hexdigest()
