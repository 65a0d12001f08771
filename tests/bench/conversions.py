"""Conversions a second by `portals.text` alone: a mix as in a chat, and one very long message."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from portals import text
from tests.bench.figures import told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from tests.bench.figures import Figure

NAMES = text.Names(
    slack_users={"U0ALICE": text.SlackPerson("Alice Archer", "@slack_t1_u0alice:localhost")},
    matrix_users={"@ada:localhost": text.MatrixPerson("Ada", None)},
    channels={"C0GENERAL": text.Channel("general", "!general:localhost")},
)
SLACK = (
    "thanks!",
    "I am on it, give me *ten* minutes :+1:",
    "<@U0ALICE> could you look at <https://example.org/issues/17|issue 17>? It is in <#C0GENERAL|general>",
    "Three things:\n• the _first_ is done\n• the second needs `make test`\n• the third can wait",
    "> is it the cache?\nYes. It is always the cache.\n```\ncache.clear()\nprint('done')\n```",
    "We meet at 14:00 in the large room &amp; bring the figures of last week, please. ~Not~ before.",
)
MATRIX = (
    ("thanks!", None),
    ("I am on it, give me ten minutes 👍", "I am on it, give me <strong>ten</strong> minutes 👍"),
    ("Ada could you look?", '<a href="https://matrix.to/#/@ada:localhost">Ada</a> could you look?'),
    ("three things", "<p>Three things:</p><ul><li>the <em>first</em></li><li>the <code>second</code></li></ul>"),
    ("is it", "<blockquote><p>is it the cache?</p></blockquote><p>Yes.</p><pre><code>cache.clear()\n</code></pre>"),
    ("We meet at 14:00 in the large room & bring the figures, please.", None),
)


async def measure(directory: Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield the rates of both directions."""
    seconds = 0.3 if quick else 1.5
    long_slack = (("\n".join(SLACK) + "\n") * 100)[:40_000]
    long_html = "".join(html or f"<p>{body}</p>" for body, html in MATRIX * 80)[:40_000]
    yield _rate("Conversions, Slack → Matrix, chat mix", _to_matrix, SLACK, seconds)
    yield _rate("Conversions, Matrix → Slack, chat mix", _to_slack, [_content(*one) for one in MATRIX], seconds)
    yield _duration("Conversion of a 40 KB message, Slack → Matrix", _to_matrix, long_slack)
    yield _duration("Conversion of a 40 KB message, Matrix → Slack", _to_slack, _content(long_html, long_html))


def _to_matrix(message: str) -> None:
    text.to_matrix(text.from_slack(message), NAMES)


def _to_slack(content: dict[str, Any]) -> None:
    text.to_slack(text.from_matrix(content), NAMES)


def _content(body: str, html: str | None) -> dict[str, Any]:
    plain = {"msgtype": "m.text", "body": body}
    return plain if html is None else {**plain, "format": "org.matrix.custom.html", "formatted_body": html}


def _rate(what: str, convert: Callable[[Any], None], messages: Sequence[Any], seconds: float) -> Figure:
    done, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        for message in messages:
            convert(message)
        done += len(messages)
    return told(what, f"{done / took:,.0f}/s")


def _duration(what: str, convert: Callable[[Any], None], message: Any) -> Figure:
    best = 60.0
    for _ in range(3):
        began = time.perf_counter()
        convert(message)
        best = min(best, time.perf_counter() - began)
    return told(what, f"{1000 * best:.1f} ms")
