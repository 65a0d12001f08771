"""What holds for every document and for every foreign value."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from portals.text import (
    Limits,
    MatrixPerson,
    Names,
    SlackPerson,
    from_matrix,
    from_slack,
    label_of,
    matrix_html,
    mentions,
    mrkdwn,
    to_matrix,
    to_slack,
)
from portals.text import document as doc
from tests.portals.text import documents as some
from tests.portals.text.safety import only_allowed, pings_nobody

if TYPE_CHECKING:
    from portals.text import Document

NAMES = Names(emoji={"party": "mxc://hs/party"}, allow_broadcast=True, allow_room_mention=True)
STRANGERS = Names(
    slack_users={"U1": SlackPerson("<b>x</b>\u202e @room", "@u1:hs")},
    matrix_users={"@a:hs": MatrixPerson("<!channel> *x* <@U2>", None)},
)
thorough = settings(max_examples=some.EXAMPLES * 2 // 5)


@thorough
@given(some.html_documents)
def test_html_keeps_every_document(document: Document) -> None:
    wanted = doc.normal(doc.Document((*document.blocks, doc.Rule())))
    html = to_matrix(wanted, NAMES).formatted_body
    assert html is not None
    assert matrix_html.parse(html) == wanted


@thorough
@given(some.rich_documents)
def test_rich_text_keeps_every_document(document: Document) -> None:
    wanted = doc.normal(document)
    roomy = Limits(text=10**6, blocks=10**6, json=10**7)
    messages = to_slack(wanted, NAMES, roomy)
    assert len(messages) == (0 if wanted.is_empty() else 1)
    for message in messages:
        assert doc.normal(from_slack("", message.blocks)) == wanted


sayable = st.lists(
    st.one_of(
        st.builds(doc.Text, st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.sampled_from([0, 1, 2, 8, 16, 3, 11])),
        st.builds(doc.SlackUser, some.slack_ids),
        st.builds(doc.ChannelMention, some.slack_ids),
        st.builds(doc.UsergroupMention, some.slack_ids),
        st.builds(doc.Broadcast, st.sampled_from(["here", "channel", "everyone"])),
        st.builds(
            doc.Link, st.just("https://x.org/?a&b"), st.sampled_from(["two words", "a<b>&c", "https://x.org/?a&b"])
        ),
        st.just(doc.Emoji("wave::skin-tone-3", "👋🏼")),
        st.just(doc.BREAK),
    ),
    min_size=1,
    max_size=8,
).map(lambda parts: tuple(one for part in parts for one in (part, doc.Text(" "))))
sayable_block = st.one_of(
    st.builds(doc.Paragraph, sayable),
    sayable.map(lambda inlines: doc.Quote((doc.Paragraph(inlines),))),
    st.builds(doc.CodeBlock, st.from_regex(r"[a-z<&>*_]{1,9}\n[a-z]{1,9}", fullmatch=True)),
)


@thorough
@given(st.lists(sayable_block, min_size=1, max_size=4))
def test_mrkdwn_keeps_what_it_can_say(blocks: list[doc.Block]) -> None:
    apart = doc.normal(doc.Document(tuple(one for block in blocks for one in (block, doc.CodeBlock("-")))))
    text = to_slack(apart, NAMES)[0].text
    assert _without_spaces(mrkdwn.parse(text)) == _without_spaces(apart)


def _without_spaces(document: Document) -> str:
    return re.sub(r"Text\(text=' *', style=0\),? ?", "", re.sub(r" +'", "'", repr(document)))


@thorough
@given(some.block_like, some.block_like, some.hostile_text | some.json_values)
def test_no_slack_value_raises_or_breaks_out(blocks: Any, attachments: Any, text: Any) -> None:
    document = from_slack(text, blocks, attachments)
    mentions(document)
    only_allowed(to_matrix(document, NAMES).formatted_body or "")
    for message in to_slack(document, NAMES):
        json.dumps(message.blocks).encode()
        message.text.encode()


@thorough
@given(some.hostile_text)
def test_no_mrkdwn_breaks_out(text: str) -> None:
    only_allowed(to_matrix(from_slack(text), STRANGERS).formatted_body or "")


@thorough
@given(some.hostile_html | some.hostile_text, some.json_values)
def test_no_matrix_html_pings_or_breaks_out(html: str, mentioned: Any) -> None:
    content = {"body": html, "format": "org.matrix.custom.html", "formatted_body": html, "m.mentions": mentioned}
    pings_nobody(to_slack(from_matrix(content), STRANGERS))
    only_allowed(to_matrix(from_matrix(content), STRANGERS).formatted_body or "")


@thorough
@given(
    st.dictionaries(
        st.sampled_from(["body", "format", "formatted_body", "m.mentions", "m.relates_to"]), some.json_values
    )
)
def test_no_matrix_content_raises(content: Any) -> None:
    pings_nobody(to_slack(from_matrix(content), STRANGERS))


@thorough
@given(st.text(st.sampled_from("a*_~ \n<>&`漢👋"), max_size=3000), st.integers(300, 4000))
def test_splitting_loses_nothing_and_keeps_the_limits(text: str, most: int) -> None:
    limits = Limits(text=max(most, 600), blocks=5, json=4 * max(most, 600))
    messages = to_slack(from_matrix({"body": text}), Names(), limits)
    assert all(len(message.text) <= limits.text for message in messages)
    assert all(len(json.dumps(message.blocks, ensure_ascii=False)) <= limits.json for message in messages)
    back = [to_matrix(from_slack("", message.blocks), Names()).body for message in messages]
    assert re.sub(r"\s", "", "".join(back)) == re.sub(r"\s", "", text)


@thorough
@given(st.text(max_size=300))
def test_a_label_is_one_visible_line(name: str) -> None:
    label = label_of(name, "fallback")
    assert label
    assert "\n" not in label
    assert len(label) <= 120
    assert not set(label) & set("\u200b\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\x00")
    assert label_of(label) == label
