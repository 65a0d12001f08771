"""Turns a YAML file and the environment into Settings, or says everything that is wrong with them at once.

`load(path)` promises Settings in which every value has been checked, every relative path made absolute and every
secret fetched. Otherwise it raises ConfigError with each problem's file, line, column, key, and what to do. Any single
setting can be overridden by an environment variable: `CAUSEWAY_` and the key path in capitals, with `_` between the
parts (`CAUSEWAY_SLACK_WORKSPACES_0_BOT_TOKEN`); lists and numbers are written there as YAML.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from config import schema
from config.document import Document, Plain, parse_value, read_document, read_text
from config.layout import RENAMES, is_due, renamed
from config.problems import ConfigError, Path, Problem, did_you_mean, dotted
from config.settings import Settings
from config.values import Surroundings, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path as FilePath

    from pydantic_core import ErrorDetails

PREFIX = "CAUSEWAY_"

__all__ = ["ConfigError", "Problem", "load", "parse"]


def load(path: FilePath, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings in `path`; raises ConfigError with all problems found."""
    return parse(read_text(path), str(path), path.parent, environ)


def parse(text: str, name: str, directory: FilePath, environ: Mapping[str, str] | None = None) -> Settings:
    """Read settings from text; `directory` is where relative paths in it start. Raises ConfigError."""
    environ = os.environ if environ is None else environ
    document = read_document(text, name)
    problems = list(document.problems)
    names: dict[Path, str] = {(*old.group, old.old): old.new for old in RENAMES if is_due(old, document)}
    values = cast("dict[str, Plain]", _without_blanks(renamed(document.values, names), ()))
    overrides = _override(values, environ, problems)
    try:
        settings = Settings.model_validate(values, context=Surroundings(directory, environ))
    except ValidationError as failed:
        errors = failed.errors(include_url=False)
        problems += [_explain(error, document, overrides) for error in errors if not _is_consequence(error, errors)]
    if problems:
        raise ConfigError(problems)
    return settings


def _without_blanks(value: Plain, path: Path) -> Plain:
    """Leave out keys without a value where that can only mean "as usual": sections, lists and optional settings."""
    if isinstance(value, dict):
        return {
            key: _without_blanks(inner, (*path, key))
            for key, inner in value.items()
            if inner is not None or not schema.may_be_blank((*path, key))
        }
    return [_without_blanks(inner, (*path, n)) for n, inner in enumerate(value)] if isinstance(value, list) else value


def _override(values: dict[str, Plain], environ: Mapping[str, str], problems: list[Problem]) -> dict[Path, str]:
    """Lay the environment's settings over the file's; returns which variable set which key."""
    overrides: dict[Path, str] = {}
    named_elsewhere = set(_referenced(values))
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable in named_elsewhere:
            continue
        path = schema.path_of_variable(variable.removeprefix(PREFIX))
        if path is None:
            close = get_close_matches(variable, [PREFIX + name for name in schema.variables()], n=1, cutoff=0.9)
            if close:
                problems.append(Problem(variable, 0, 0, "", "is not a setting", f"did you mean {close[0]}?"))
            continue
        try:
            value = text if schema.is_literal(path) else parse_value(text)
        except ConfigError as error:
            problems.append(Problem(variable, 0, 0, dotted(path), error.problems[0].what, "write the value as YAML"))
            continue
        if _put(values, path, value):
            overrides[path] = variable
        else:
            hint = "number the items of a list from 0, without a gap"
            problems.append(Problem(variable, 0, 0, dotted(path), "has no place in the file's settings", hint))
    return overrides


def _referenced(value: Plain) -> Iterator[str]:
    """The variables that `{env: NAME}` names: they are secrets, not overrides."""
    if isinstance(value, dict):
        if set(value) == {"env"} and isinstance(value["env"], str):
            yield value["env"]
        for inner in value.values():
            yield from _referenced(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _referenced(inner)


def _put(values: dict[str, Plain], path: Path, value: Plain) -> bool:
    place: Any = values  # descends through dictionaries and lists of Plain
    for part, following in zip(path, (*path[1:], None), strict=True):
        inner: Plain = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(part, int):
            if not isinstance(place, list) or part > len(place):
                return False
            if part == len(place):
                place.append(inner)
        elif not isinstance(place, dict):
            return False
        if following is None:
            place[part] = value
        elif isinstance(place, dict):
            place = place.setdefault(cast("str", part), inner)
        else:
            place = place[part]
    return True


def _is_consequence(error: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """Tell whether a list counts as too short only because its items are wrong, which is reported already."""
    return error["type"] == "too_short" and any(
        len(other["loc"]) > len(error["loc"]) and other["loc"][: len(error["loc"])] == error["loc"] for other in errors
    )


def _explain(error: ErrorDetails, document: Document, overrides: dict[Path, str]) -> Problem:
    context = error.get("ctx", {})
    path: Path = (*error["loc"], *context.get("at", ()))
    what, hint = _say(error, path, document)
    for depth in range(len(path), 0, -1):
        if path[:depth] in overrides:
            return Problem(overrides[path[:depth]], 0, 0, dotted(path), what, hint)
    at_key = error["type"] in ("extra_forbidden", "missing") or error["input"] is None
    for depth in range(len(path), 0, -1):
        known = (document.keys if at_key or depth < len(path) else document.places).get(path[:depth])
        known = known or document.places.get(path[:depth])
        if known:
            return Problem(document.name, *known, dotted(path), what, hint)
    return Problem(document.name, 1, 1, dotted(path), what, hint)


def _say(error: ErrorDetails, path: Path, document: Document) -> tuple[str, str]:
    context = error.get("ctx", {})
    given = error["input"]
    if given is None and error["type"] != "missing":
        return "has no value", _comment_hint(path, document) or _fill(path)
    match error["type"]:
        case "wrong_value":
            return context["what"], context["hint"]
        case "missing":
            return "is missing", "it has no default: " + schema.meaning(path)
        case "extra_forbidden":
            return "is not a setting", _elsewhere(path)
        case "literal_error":
            options = schema.options(path)
            return f"{shown(given)} is not one of {', '.join(options)}", did_you_mean(str(given), options)
        case "bool_type":
            meant = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
            word = meant.get(str(given).lower(), "true or false")
            return f"{shown(given)} is not true or false", f"write {word} without quotes"
        case "int_type" | "int_from_float":
            digits = re.fullmatch(r"\s*(\d+)\s*", given) if isinstance(given, str) else None
            return f"{shown(given)} is not a whole number", f"write {digits[1]} without quotes" if digits else ""
        case "string_type":
            hint = (
                f'write it in quotes: "{given}"' if isinstance(given, int | float | bool) else "write one line of text"
            )
            return f"{_describe(given)} is not text", hint
        case "tuple_type":
            return f"{_describe(given)} is not a list", f"write [{given}]" if isinstance(
                given, str
            ) else "write a list: [a, b]"
        case "model_type":
            return f"{_describe(given)} is not a group of settings", "write its settings below it, indented"
        case "greater_than_equal":
            return f"{shown(given)} is too small", f"the least is {context['ge']}"
        case "less_than_equal":
            return f"{shown(given)} is too large", f"the most is {context['le']}"
        case "too_short":
            return "is empty", f"give at least {context['min_length']}"
    return error["msg"], ""


def _describe(value: object) -> str:
    return "a list" if isinstance(value, list) else "a group of settings" if isinstance(value, dict) else shown(value)


def _comment_hint(path: Path, document: Document) -> str:
    line = document.text.splitlines()[document.keys[path][0] - 1] if path in document.keys else ""
    comment = re.search(r"\s(#\S+)", line)
    return f'a # after a blank begins a comment; write "{comment[1]}" in quotes' if comment else ""


def _fill(path: Path) -> str:
    entry = schema.entry_of(path)
    return "fill it in" if entry and entry.required else "fill it in, or delete the line for the default"


def _elsewhere(path: Path) -> str:
    word = str(path[-1])
    siblings = schema.children(path[:-1])
    if hint := did_you_mean(word, siblings):
        return hint
    homes = [known for known in schema.paths() if known[-1] == word]
    if homes:
        return f"did you mean {dotted(homes[0])}?"
    return f"known here: {', '.join(siblings)}" if siblings else ""
