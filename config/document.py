"""Reads a YAML 1.2 file into plain values, and remembers where each of them stands.

It works on the parser's nodes rather than on a loaded object, so that a duplicate key, a foreign tag or a value's
column is known exactly, and so that nothing in a file can run code, loop, or grow beyond what was read. What it
refuses: more than 1 MiB, text that is not UTF-8, several documents, tags, merge keys, and aliases that multiply.
"""

from __future__ import annotations

import codecs
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from config.problems import ConfigError, Path, Problem, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path as FilePath

FILE_LIMIT = 1024 * 1024
VALUE_LIMIT = 20_000
DEPTH_LIMIT = 32

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True, slots=True)
class Document:
    """A file's values with the place of each key and value (line and column, both from 1).

    `ends` has the last line of each value; `inline` the groups that are written in braces.
    """

    name: str
    text: str
    values: dict[str, Plain]
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    ends: dict[Path, int] = field(default_factory=dict)
    inline: set[Path] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def read_text(path: FilePath) -> str:
    """Read a file's text, raising ConfigError where it is missing, unreadable, too large or not UTF-8."""

    def refuse(what: str, hint: str) -> ConfigError:
        return ConfigError([Problem(str(path), 0, 0, "", what, hint)])

    try:
        with path.open("rb") as stream:
            content = stream.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        raise refuse("there is no such file", "`causeway init` makes one; --config names another") from None
    except OSError as error:
        raise refuse(
            f"cannot be read: {error.strerror}", "see to it that it is a file that this user may read"
        ) from error
    if len(content) > FILE_LIMIT:
        raise refuse("is larger than 1 MiB", "this cannot be a configuration; check the path")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise refuse("is UTF-16 text", "save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise ConfigError([Problem(str(path), line, column, "", "is not UTF-8 text", "save it as UTF-8")]) from error


def read_document(text: str, name: str) -> Document:
    """Parse text; what cannot be parsed at all raises ConfigError, lesser problems are left in the document."""
    document = Document(name, text, {})
    root = _compose(text, name)
    if isinstance(root, MappingNode):
        document.values.update(_Walk(document).mapping(root, ()))
    elif root is not None and not (isinstance(root, ScalarNode) and root.value == ""):
        hint = "begin with a key and a colon, such as `homeserver:`"
        raise ConfigError([Problem(name, *_place(root), "", "does not hold settings", hint)])
    return document


def parse_value(text: str) -> Plain:
    """Parse one value, as an environment variable holds it; raises ConfigError."""
    root = _compose(text, "environment")
    document = Document("environment", text, {})
    value = _Walk(document).value(root, ()) if root is not None else None
    if document.problems:
        raise ConfigError(document.problems)
    return value


def _compose(text: str, name: str) -> Node | None:
    try:
        with warnings.catch_warnings():  # the warning would quote lines of the file, which may hold secrets
            warnings.simplefilter("error", ReusedAnchorWarning)
            root: Node | None = YAML(typ="safe", pure=True).compose(text)
        return root
    except ReusedAnchorWarning:
        what, hint = "gives two values the same anchor", "a name after & may stand once"
        raise ConfigError([Problem(name, 0, 0, "", what, hint)]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        what, hint = _plainly(error, text.splitlines()[line - 1] if 0 < line <= len(text.splitlines()) else "")
        raise ConfigError([Problem(name, line, column, "", what, hint)]) from error
    except ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise ConfigError([Problem(name, line, column, "", "holds a control character", "delete it")]) from error
    except RecursionError as error:
        raise ConfigError([Problem(name, 0, 0, "", "is nested too deeply", "check the brackets")]) from error
    except (YAMLError, ValueError) as error:
        raise ConfigError([Problem(name, 0, 0, "", f"is not YAML: {str(error).splitlines()[0]}", "")]) from error


def _plainly(error: MarkedYAMLError, line: str) -> tuple[str, str]:
    said = str(error.problem or error.context or "is not YAML")
    if "\t" in line and ("\\t" in said or "tab" in said.lower() or line.lstrip(" ").startswith("\t")):
        return "a tab stands where only spaces may", "indent with spaces"
    if "alias" in said and "undefined" in said:
        return said, "a value that begins with * must stand in quotes"
    if "single document" in said or "document" in str(error.context):
        return "holds more than one document", "delete the line with three dashes"
    if "mapping values are not allowed" in said:
        return "a colon stands where none may", "put the value in quotes, or mend the indentation"
    if "could not find expected ':'" in said:
        return "a key without a colon", "write `key: value`"
    if "%" in line or "@" in line or "`" in line:
        return f"is not YAML: {said}", "a value that begins with @, ` or % must stand in quotes"
    return f"is not YAML: {said}", "mend the indentation, or put the value in quotes"


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


class _Walk:
    """One walk over the nodes of a document; counts what it yields, for aliases can multiply."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0

    def value(self, node: Node, path: Path) -> Plain:
        self.count += 1
        if self.count > VALUE_LIMIT or len(path) > DEPTH_LIMIT:
            what = (
                "aliases multiply the values beyond all measure" if self.count > VALUE_LIMIT else "is nested too deeply"
            )
            raise ConfigError([Problem(self.document.name, *_place(node), dotted(path[:4]), what, "write them out")])
        self.document.places[path] = _place(node)
        if isinstance(node, MappingNode):
            value: Plain = self.mapping(node, path)
        elif isinstance(node, SequenceNode):
            value = [self.value(item, (*path, number)) for number, item in enumerate(node.value)]
        else:
            value = self.scalar(node, path)
        if isinstance(node, CollectionNode) and node.flow_style:
            self.document.inline.add(path)
        self.note_end(node, value, path)
        return value

    def note_end(self, node: Node, value: Plain, path: Path) -> None:
        """Remember a value's last line: its own mark's, its children's, or, where it has neither, its key's."""
        parts = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        ends = [self.document.ends[*path, part] for part in parts]
        if value is not None and (not parts or path in self.document.inline):
            ends.append(node.end_mark.line + (node.end_mark.column > 0 or node.end_mark.line == node.start_mark.line))
        if path in self.document.keys:
            ends.append(self.document.keys[path][0])
        self.document.ends[path] = max(ends, default=1)

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Plain]:
        return {key: self.value(value, (*path, key)) for key, value in self._entries(node, path)}

    def _entries(self, node: MappingNode, path: Path) -> Iterator[tuple[str, Node]]:
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.report(key_node, path, "a key must be a word", "write `key: value`")
                continue
            here = (*path, key_node.value)
            if here in self.document.keys and self.document.keys[here] < _place(key_node):
                first = self.document.keys[here][0]
                self.report(key_node, here, f"is set a second time, first in line {first}", "delete one of them")
                continue
            self.document.keys[here] = _place(key_node)
            yield key_node.value, value_node

    def scalar(self, node: Node, path: Path) -> Plain:
        text = str(node.value)
        kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
        try:
            match kind:
                case "str" | "timestamp":
                    return text
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int":
                    return int(text.replace("_", ""), 0 if text.lstrip("+-")[:2] in ("0x", "0o", "0b") else 10)
                case "float":
                    return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            return text
        self.report(node, path, f"has the tag {node.tag}", "tags are not used here: write the value alone")
        return text

    def report(self, node: Node, path: Path, what: str, hint: str) -> None:
        self.document.problems.append(Problem(self.document.name, *_place(node), dotted(path), what, hint))
