"""Strategies for documents that each format can say, and for foreign values of any shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st

from portals.text import document as doc
from portals.text import label_of

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

JSON = Any  # Any: foreign values of any shape

EXAMPLES = settings().max_examples
"""How many examples hypothesis tries here: by the profile `fuzz`, ten times as many."""

LETTERS = "abcXYZ019 &<>\"'*_~`@#!:|/\\-.,()[]{}äß漢ß\u202e\u200b"
words = st.text(LETTERS, min_size=1, max_size=12)
styles = st.integers(0, 31)
slack_ids = st.text("ABCDEFGHIJ0123456789", min_size=2, max_size=11)
urls = st.builds("https://x.org/{}".format, st.text("abc/?=&%-'\"<>", max_size=8))
texts = st.builds(doc.Text, words, styles)
breaks = st.just(doc.BREAK)


def labels() -> SearchStrategy[str]:
    """Names as the look-up would have cleaned them."""
    return st.text('abc äß<>&*"', min_size=1, max_size=8).map(label_of).filter(bool)


links = st.builds(doc.Link, urls, labels(), styles) | urls.map(lambda url: doc.Link(url, url))
mxc_images = st.builds(doc.Image, st.just("mxc://hs/abc"), labels(), styles)
matrix_users = st.builds(doc.MatrixUser, st.sampled_from(["@a:hs", "@b/c=d:hs.org:8448"]), labels(), styles)
rooms = st.builds(doc.RoomMention, st.sampled_from(["!r:hs", "#über:hs"]), labels(), styles)
custom_emoji = st.builds(doc.Emoji, st.just("party"), st.none(), styles)

html_simple = texts | links | matrix_users | rooms | custom_emoji | mxc_images | breaks
html_inlines = st.lists(html_simple, min_size=1, max_size=6).map(tuple)
html_spoilers = st.builds(doc.Spoiler, html_inlines, labels() | st.just(""))
html_line = st.lists(html_simple | html_spoilers, min_size=1, max_size=6).map(tuple)

code = st.builds(
    doc.CodeBlock, st.text(LETTERS + "\n", min_size=1, max_size=30), st.sampled_from(["", "python", "c++"])
)
rules = st.just(doc.Rule())


html_rows = st.lists(st.lists(html_line, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple)
html_leaf = st.one_of(
    st.builds(doc.Paragraph, html_line),
    st.builds(doc.Heading, st.integers(1, 6), html_line),
    code,
    rules,
    st.builds(doc.Table, html_rows, st.booleans()),
)


def html_block(depth: int) -> SearchStrategy[doc.Block]:
    """A block that holds others so many levels deep: `st.recursive` throws most of what it draws away again."""
    if not depth:
        return html_leaf
    several = st.lists(html_block(depth - 1), min_size=1, max_size=2).map(tuple)
    items = st.lists(several, min_size=1, max_size=2).map(tuple)
    return st.one_of(
        html_leaf,
        st.builds(doc.Quote, several),
        st.builds(doc.List, st.booleans(), items, st.integers(0, 99)),
        st.builds(doc.Details, html_inlines, several),
    )


html_documents = st.builds(doc.Document, st.lists(html_block(3), max_size=4).map(tuple))

rich_inlines = st.lists(
    texts
    | links
    | breaks
    | custom_emoji
    | st.builds(doc.SlackUser, slack_ids, style=styles)
    | st.builds(doc.ChannelMention, slack_ids, style=styles)
    | st.builds(doc.UsergroupMention, slack_ids, style=styles)
    | st.builds(doc.Broadcast, st.sampled_from(["here", "channel", "everyone"]), styles)
    | st.sampled_from([doc.Emoji("wave", "👋"), doc.Emoji("+1::skin-tone-4", "👍🏽"), doc.Emoji("flag-eu", "🇪🇺")])
    | st.builds(doc.Time, st.integers(0, 2**33), st.sampled_from(["{date}", "{time} on {date_num}"]), labels()),
    min_size=1,
    max_size=8,
).map(tuple)


def _lists(items: SearchStrategy[doc.Blocks]) -> SearchStrategy[doc.Block]:
    return st.builds(doc.List, st.booleans(), st.lists(items, min_size=1, max_size=3).map(tuple), st.integers(1, 50))


def _one_paragraph(inlines: doc.Inlines) -> doc.Blocks:
    return (doc.Paragraph(doc.trimmed(inlines)),)


def _paragraphs(inlines: doc.Inlines) -> doc.Blocks:
    return tuple(doc.paragraphs(inlines)) or (doc.Paragraph((doc.Text("x"),)),)


rich_items = rich_inlines.filter(lambda inlines: bool(doc.trimmed(inlines))).map(_one_paragraph)
rich_lists = _lists(rich_items | st.builds(lambda head, below: (*head, below), rich_items, _lists(rich_items)))
rich_parts = st.one_of(
    st.builds(doc.Paragraph, rich_inlines),
    rich_inlines.map(_paragraphs).map(doc.Quote),
    st.text(LETTERS + "\n", min_size=1, max_size=30).map(doc.CodeBlock),
    rich_lists,
    rules,
)


def _apart(blocks: list[doc.Block]) -> doc.Document:
    """Two lists in a row are one in Slack, so keep something between them."""
    out: list[doc.Block] = []
    for block in blocks:
        if out and isinstance(block, doc.List) and isinstance(out[-1], doc.List):
            out.append(doc.CodeBlock("x"))
        out.append(block)
    return doc.Document(tuple(out))


rich_documents = st.lists(rich_parts, max_size=5).map(_apart)

json_values: SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud800\x00\x1b"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def listed(names: str) -> list[str]:
    """Return the names between spaces."""
    return names.split()


KINDS = listed(
    "rich_text rich_text_section rich_text_list rich_text_quote rich_text_preformatted text user channel "
    "usergroup team emoji link date broadcast color section header context divider image actions "
    "context_actions input table markdown video file alert card carousel task_card plan mrkdwn plain_text "
    "button static_select feedback_buttons unknown"
)
FIELDS = listed(
    "elements text fields accessory title label element rows url user_id channel_id usergroup_id team_id "
    "name unicode skin_tone timestamp format fallback range value style border indent offset image_url "
    "alt_text slack_file options option_groups initial_option placeholder workflow description "
    "provider_name author_name file details output sources tasks status actions body subtitle icon "
    "hero_image positive_button negative_button language message_blocks message blocks attachments "
    "mrkdwn_in pretext footer ts service_name author_subname author_link title_link thumb_url"
)

block_like: SearchStrategy[JSON] = st.recursive(
    json_values,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.builds(
            lambda kind, rest: {"type": kind, **rest},
            st.sampled_from(KINDS),
            st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
        )
    ),
    max_leaves=20,
)

hostile_text = st.lists(
    st.sampled_from(
        [*"*_~`<>@#!|:&;^aA1 \n\\U[](){}=+-\"'/.", "&gt;", "<!here>", "<@U1>", "```", "@room", "@channel", "\ud83d"]
    ),
    max_size=60,
).map("".join) | st.text(max_size=60)
hostile_html = st.lists(
    st.sampled_from(
        listed(
            "<b> </b> <p> </p> <ul> <li> </ul> <ol start=-9> <pre> <code> </code> <table> <tr> <td> </table> "
            "<a> <a/href='javascript:x'> <a/href='https://matrix.to/#/@a:hs'> </a> <img/src=x/onerror=y> "
            "<script> </script> <style> <svg> <math> <details> <summary> <h1> <h9> <br> <hr> <mx-reply> "
            "</mx-reply> <!-- --> <![CDATA[ ]]> &lt; &#0; &nbsp; <plaintext> <template> <select> <option> "
            "<frameset> <body/onload=x> <span/data-mx-spoiler=x> @room <sup> <sub> <font/color=red> "
            "<div/data-mx-maths=x> <blockquote> <!here> \x00 \ud800"
        )
    )
    | st.text(max_size=6),
    max_size=30,
).map(" ".join)
