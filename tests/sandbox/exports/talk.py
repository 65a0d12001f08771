"""What people say: phrases as mrkdwn and as the rich_text that Slack's clients make of it.

A message joins one or two phrases of a pool, so that a million messages need no more than the pool in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tests.sandbox.slack.state import Json

_SAID = (
    "Good morning!", "Guten Morgen zusammen", "¿Alguien ha visto el informe?", "C'est réglé, merci beaucoup",
    "ok", "👍", "Can you have a look before noon?", "The build is red again", "I am in a train without network",
    "Прошу прощения, опоздаю на десять минут", "会議は三時からです", "הפגישה נדחתה למחר", "Sounds right to me",
    "Let us decide that on Thursday", "Die Rechnung ist raus", "why does this &lt;b&gt; work &amp; that does not?",
    "1 &lt; 2 &amp;&amp; 3 &gt; 2", "zażółć gęślą jaźń", "The customer wants it by Friday, which is not possible",
    "Please read the document first", "e\u0301 and é should look the same", "👩‍👩‍👧‍👦 are here too", "/shrug", "+1",
    "first line\nsecond line\n\nfourth line", "Is anybody still using the old printer on the third floor?",
)  # fmt: skip
_LINKS = ("https://wiki.firma.example/x?a=1&b=2", "https://firma.example/", "http://example.org/path_(1)#part")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of text and its rich_text elements; `block` stands for itself, as a list or a quotation."""

    text: str
    elements: tuple[Json, ...]
    block: Json | None = None


def phrases(random: Random, people: Sequence[str], channels: Sequence[str], usergroup: str) -> tuple[Phrase, ...]:
    """The pool of a workspace."""
    made = [Phrase(said, ({"type": "text", "text": _unescaped(said)},)) for said in _SAID for _ in range(3)]
    for _ in range(40):
        made.append(_styled(random))
        made.append(_mentioning(random, people, channels, usergroup))
        made.append(_linking(random))
        made.append(_long(random))
    made += [_list(random) for _ in range(8)]
    made += [_quoted(random) for _ in range(8)]
    made += [_code(random) for _ in range(8)]
    return tuple(made)


def rich_text(pieces: Sequence[Phrase], block_id: str) -> Json:
    """The block of a message made of phrases."""
    blocks: list[Json] = []
    inline: list[Json] = []
    for piece in pieces:
        if piece.block is not None:
            if inline:
                blocks.append({"type": "rich_text_section", "elements": inline})
                inline = []
            blocks.append(piece.block)
            continue
        if inline:
            inline.append({"type": "text", "text": " "})
        inline.extend(piece.elements)
    if inline:
        blocks.append({"type": "rich_text_section", "elements": inline})
    return {"type": "rich_text", "block_id": block_id, "elements": blocks}


def text_of(pieces: Sequence[Phrase]) -> str:
    """The mrkdwn of a message made of phrases."""
    text = ""
    for before, piece in zip((None, *pieces), pieces, strict=False):
        apart = "" if before is None else "\n" if piece.block is not None or before.block is not None else " "
        text += apart + piece.text
    return text


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _styled(random: Random) -> Phrase:
    said, (mark, style) = random.choice(_SAID[:8]), random.choice((("*", "bold"), ("_", "italic"), ("~", "strike")))
    code: Json = {"type": "text", "text": "x = y_z*2", "style": {"code": True}}
    styled: Json = {"type": "text", "text": said, "style": {style: True}}
    return Phrase(f"{mark}{said}{mark} `x = y_z*2`", (styled, {"type": "text", "text": " "}, code))


def _mentioning(random: Random, people: Sequence[str], channels: Sequence[str], usergroup: str) -> Phrase:
    person, channel = random.choice(people), random.choice(channels)
    return random.choice(
        (
            Phrase(f"<@{person}> please", ({"type": "user", "user_id": person}, {"type": "text", "text": " please"})),
            Phrase(
                f"see <#{channel}|>", ({"type": "text", "text": "see "}, {"type": "channel", "channel_id": channel})
            ),
            Phrase(f"<@{person}|old.handle>", ({"type": "user", "user_id": person},)),
            Phrase("<!here> lunch", ({"type": "broadcast", "range": "here"}, {"type": "text", "text": " lunch"})),
            Phrase(f"<!subteam^{usergroup}>", ({"type": "usergroup", "usergroup_id": usergroup},)),
            Phrase(
                ":tada: :party-parrot:", ({"type": "emoji", "name": "tada"}, {"type": "emoji", "name": "party-parrot"})
            ),
            Phrase(":wave::skin-tone-3:", ({"type": "emoji", "name": "wave", "skin_tone": 3},)),
        )
    )


def _linking(random: Random) -> Phrase:
    url = random.choice(_LINKS)
    escaped = url.replace("&", "&amp;")
    if random.random() < 0.5:
        return Phrase(f"<{escaped}>", ({"type": "link", "url": url},))
    return Phrase(f"<{escaped}|the page>", ({"type": "link", "url": url, "text": "the page"},))


def _long(random: Random) -> Phrase:
    said = " ".join(_unescaped(random.choice(_SAID[:20])) for _ in range(random.randrange(4, 24)))
    escaped = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Phrase(escaped, ({"type": "text", "text": said},))


def _section(text: str) -> Json:
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}


def _list(random: Random) -> Phrase:
    items = [random.choice(_SAID[:12]) for _ in range(random.randrange(2, 5))]
    style = random.choice(("bullet", "ordered"))
    block: Json = {"type": "rich_text_list", "style": style, "indent": 0, "border": 0}
    lines = [f"{'•' if style == 'bullet' else f'{number}.'} {item}" for number, item in enumerate(items, 1)]
    return Phrase("\n".join(lines), (), block | {"elements": [_section(item) for item in items]})


def _quoted(random: Random) -> Phrase:
    said = random.choice(_SAID[:12])
    return Phrase(f"&gt; {said}", (), {"type": "rich_text_quote", "elements": [{"type": "text", "text": said}]})


def _code(random: Random) -> Phrase:
    code = "\n".join(f"if a[{number}] < b: print('{number}')" for number in range(random.randrange(1, 6)))
    block: Json = {"type": "rich_text_preformatted", "border": 0, "elements": [{"type": "text", "text": code}]}
    return Phrase(f"```{code.replace('<', '&lt;')}```", (), block)
