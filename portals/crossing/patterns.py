"""Names and words are compared with patterns, in time that grows with the text alone.

Words are compared as people read them: without regard to case, to width (NFKC), to what is invisible, or to the signs
between them, so that `VS-NfD` is found in `vs_nfd.pdf` and in `VS – NfD`. This finds marks that were left in by
mistake; it does not stop somebody who wants to get around it, and nothing that reads text could.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portals.crossing.policy import Globs

_WORD = re.compile(r"[^\W_]+")
_PATTERN_WORD = re.compile(r"(?:[^\W_]|[*?])+")
_LONGEST = 255
"""What is longer than this is no name: it matches only `*`."""


def matches(pattern: str, name: str) -> bool:
    """Tell whether a name matches a glob: `*` stands for any signs, `?` for one; case does not matter."""
    return _glob(pattern.casefold(), name.casefold()[:_LONGEST]) if len(name) <= _LONGEST else set(pattern) == {"*"}


def passes(name: str, globs: Globs) -> bool:
    """Tell whether a name matches a pattern that is allowed and none that is denied."""
    return any(matches(one, name) for one in globs.allow) and not any(matches(one, name) for one in globs.deny)


def _glob(pattern: str, name: str) -> bool:
    """Match by walking both at once, going back to the last star alone: never more than the product of both lengths."""
    at = here = 0
    star, after = -1, 0
    while here < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, after = at, here
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", name[here]):
            at += 1
            here += 1
        elif star >= 0:
            after += 1
            at, here = star + 1, after
        else:
            return False
    return all(sign == "*" for sign in pattern[at:])


def first_found(patterns: Sequence[str], text: str) -> str:
    """Return the first of these words or phrases that a text holds, or nothing."""
    if not patterns:
        return ""
    said = _WORD.findall(_plain(text))
    return next((one for one in patterns if _holds(said, _PATTERN_WORD.findall(_plain(one)))), "")


def _holds(said: Sequence[str], phrase: Sequence[str]) -> bool:
    length = len(phrase)
    return length > 0 and any(
        all(_glob(part, word[:_LONGEST]) for part, word in zip(phrase, said[start : start + length], strict=True))
        for start in range(len(said) - length + 1)
    )


def _plain(text: str) -> str:
    """Return a text without case, width and whatever is invisible."""
    seen = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    return unicodedata.normalize("NFKC", seen.casefold())


def hosts_in(text: str) -> Iterator[str]:
    """Yield the hosts of the addresses that stand in plain text, where a client makes links of them."""
    for rest in text.split("://")[1:]:
        yield host_of(f"x://{rest[:2048]}").rstrip(".,;:!?)}'*_")  # the signs of the sentence around it


def host_of(url: str) -> str:
    """Return the host that a link leads to, or of a mail address its domain; nothing where there is none."""
    scheme, _, rest = url.partition(":")
    if scheme.casefold() == "mailto":
        return _bare(rest.partition("?")[0].rpartition("@")[2])
    if not rest.startswith("//"):
        return ""
    authority = re.split(r"[/?#\\\s<>|\"']", rest[2:], maxsplit=1)[0].rpartition("@")[2]
    return _bare(re.sub(r":\d*\Z", "", authority))


def _bare(host: str) -> str:
    return host.strip().rstrip(".").casefold()
