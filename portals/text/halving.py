"""A document too long for one event becomes two, and so on: between blocks where possible, else within one.

A block is parted between its lines, items or rows, a line between its inlines or words; the halves keep what they are
part of (a quotation, a list that goes on counting, code in its language). What cannot be parted in a way that a reader
would accept is left to the caller.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from portals.text.document import (
    Block,
    Blocks,
    CodeBlock,
    Details,
    Document,
    Heading,
    Inlines,
    LineBreak,
    List,
    Paragraph,
    Quote,
    Table,
    Text,
)

_T = TypeVar("_T")
Halves = tuple[_T, _T]


def halves(document: Document) -> Halves[Document] | None:
    """Return the two halves of a document in order, or None for one that is not to be parted."""
    parts = _blocks(document.blocks)
    return None if parts is None else (Document(parts[0]), Document(parts[1]))


def _blocks(blocks: Blocks) -> Halves[Blocks] | None:
    if not blocks:
        return None
    if len(blocks) == 1:
        return _block(blocks[0])
    middle = len(blocks) // 2
    return blocks[:middle], blocks[middle:]


def _block(block: Block) -> Halves[Blocks] | None:
    match block:
        case Paragraph() | Heading():
            lines = _inlines(block.inlines)
            return lines and _each(replace(block, inlines=lines[0]), replace(block, inlines=lines[1]))
        case Quote() | Details():
            inner = _blocks(block.blocks)
            return inner and _each(replace(block, blocks=inner[0]), replace(block, blocks=inner[1]))
        case CodeBlock():
            code = _code(block.text)
            return code and _each(replace(block, text=code[0]), replace(block, text=code[1]))
        case List():
            return _list(block)
        case Table() if len(block.rows) > 1:
            middle = len(block.rows) // 2
            rest = replace(block, rows=block.rows[middle:], header=False)
            return _each(replace(block, rows=block.rows[:middle]), rest)
        case _:
            return None


def _each(first: Block, second: Block) -> Halves[Blocks]:
    return (first,), (second,)


def _list(block: List) -> Halves[Blocks] | None:
    if len(block.items) > 1:
        middle = len(block.items) // 2
        rest = replace(block, items=block.items[middle:], start=block.start + middle)
        return _each(replace(block, items=block.items[:middle]), rest)
    inner = _blocks(block.items[0]) if block.items else None
    return inner and ((replace(block, items=(inner[0],)),), inner[1])


def _inlines(inlines: Inlines) -> Halves[Inlines] | None:
    middle = len(inlines) // 2
    inside = [place for place in range(1, len(inlines) - 1) if isinstance(inlines[place], LineBreak)]
    if inside:
        cut = min(inside, key=lambda place: abs(place - middle))
        return inlines[:cut], inlines[cut + 1 :]
    if len(inlines) > 1:
        return inlines[:middle], inlines[middle:]
    only = inlines[0] if inlines else None
    if not isinstance(only, Text) or len(only.text) < 2:
        return None
    words = _words(only.text)
    return (replace(only, text=words[0]),), (replace(only, text=words[1]),)


def _words(text: str) -> Halves[str]:
    middle = len(text) // 2
    space = text.rfind(" ", 1, middle + 1)
    return (text[:middle], text[middle:]) if space < 0 else (text[:space], text[space + 1 :])


def _code(text: str) -> Halves[str] | None:
    middle = len(text) // 2
    cut = text.find("\n", middle)
    if cut < 0:
        cut = text.rfind("\n", 0, middle)
    if cut >= 0:
        return text[:cut], text[cut + 1 :]
    return (text[:middle], text[middle:]) if middle else None
