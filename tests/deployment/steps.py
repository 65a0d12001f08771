"""What the files in docker/ say to do, as they stand: the steps of the image, of the unit and of compose."""

from __future__ import annotations

from configparser import ConfigParser
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML

from tests.house.sources import ROOT

DOCKER = ROOT / "docker"


@dataclass(frozen=True)
class Step:
    """One instruction of a Dockerfile: its word, and what follows."""

    word: str
    rest: str


@dataclass
class Stage:
    """One stage of an image: from what it is made, and its steps."""

    base: str
    steps: list[Step] = field(default_factory=list)


def stages() -> list[Stage]:
    """Return the stages of the image; a line that ends with a backslash goes on in the next one."""
    text = (DOCKER / "Dockerfile").read_text().replace("\\\n", " ")
    found: list[Stage] = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append(Stage(rest.partition(" AS ")[0]))
        elif word and not word.startswith("#"):
            found[-1].steps.append(Step(word, rest.strip()))
    return found


def compose() -> dict[str, Any]:
    """Return the compose file."""
    loaded: dict[str, Any] = YAML(typ="safe").load((DOCKER / "compose.yaml").read_text())
    return loaded


def unit() -> ConfigParser:
    """Return the systemd unit; of a key that is given several times, the last."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the keys of units have capitals
    parser.read_string((DOCKER / "causeway.service").read_text())
    return parser


def walk(name: str) -> list[str]:
    """Return the commands that stand in the head of a file, indented in its comment."""
    head = (DOCKER / name).read_text().partition("\n[")[0].partition("\nname:")[0]
    lines = [line[1:] for line in head.splitlines() if line.startswith("#   ")]
    return [line.strip() for line in "\n".join(lines).replace("\\\n", " ").splitlines()]
