"""The token that an export puts into the addresses of its files, and its way out of them.

It opens every file of the workspace to whoever holds it, so it is taken out before anything is stored, and travels
apart from the addresses that it belongs to.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"([?&]|\\u0026)(?:t|token)=(xox[a-z]-[\w.-]+)(&|\\u0026)?", re.ASCII)


def split(url: str) -> tuple[str, str]:
    """Return an address without its token, and the token; an empty one where there is none."""
    found = _TOKEN.search(url)
    return (without_tokens(url), found[2]) if found else (url, "")


def tokens_in(text: str) -> list[str]:
    """Return the tokens in a text (a day of an export, or one record as JSON), each once, in the order of the text."""
    return list(dict.fromkeys(found[2] for found in _TOKEN.finditer(text))) if "xox" in text else []


def without_tokens(text: str) -> str:
    """Return a text without the tokens in it; everything else stays as it is."""
    return _TOKEN.sub(_joint, text) if "xox" in text else text


def _joint(found: re.Match[str]) -> str:
    """Return what stays between what stood before the token and what stood behind it."""
    return found[1] if found[3] else ""
