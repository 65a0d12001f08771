"""Acts as a person against a running sandbox, from a shell."""

from __future__ import annotations

import argparse
import base64
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

EXAMPLES = """examples:
  speak  --url http://127.0.0.1:8065 --as alice "#general" "hello"
  reply  --as bob "#general" last "hi alice"         (last is the newest message; or give its ts)
  edit   --as bob "#general" last "hi *alice*"
  react  --as alice "#general" last wave::skin-tone-3
  upload --as alice "#general" picture.png --text "look"
  read   "#general"
"""
# command: what it takes after the channel
COMMANDS: dict[str, tuple[str, ...]] = {
    "speak": ("text",),
    "reply": ("thread_ts", "text"),
    "edit": ("ts", "text"),
    "delete": ("ts",),
    "react": ("ts", "name"),
    "unreact": ("ts", "name"),
    "pin": ("ts",),
    "unpin": ("ts",),
    "upload": ("path",),
    "join": (),
    "leave": (),
    "topic": ("text",),
    "rename": ("text",),
    "typing": (),
    "read": (),
}
_ACTS = {"speak": "post", "reply": "post"}


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands of a person to a parser."""
    for name, takes in COMMANDS.items():
        command = commands.add_parser(name, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
        command.add_argument("--url", default="http://127.0.0.1:8065", help="where the sandbox listens")
        command.add_argument("--team", default="", help="id or domain of the workspace; the first one by default")
        if name == "read":
            command.add_argument("--limit", type=int, default=20)
        else:
            command.add_argument("--as", dest="person", required=True, help="who speaks: a name or id")
        command.add_argument("channel", help="#name or id")
        for argument in takes:
            command.add_argument(argument)
        if name == "upload":
            command.add_argument("--text", default="")
        if name == "reply":
            command.add_argument("--broadcast", action="store_true", help="also send to the channel")


def run(options: argparse.Namespace) -> int:
    """Performs one command; 0 when it was accepted."""
    if options.command == "read":
        query = urllib.parse.urlencode({"team": options.team, "channel": options.channel, "limit": options.limit})
        answer = _ask(f"{options.url}/_sandbox/read?{query}", None)
        for message in answer.get("messages", []):
            print(_line(message))
    else:
        args: dict[str, Any] = {"channel": options.channel}
        args |= {name: getattr(options, name) for name in COMMANDS[options.command] if name != "path"}
        if options.command == "upload":
            path = Path(options.path)
            content = base64.b64encode(path.read_bytes()).decode()
            args |= {"name": path.name, "content": content, "text": options.text}
        if options.command == "reply":
            args["broadcast"] = options.broadcast
        act = _ACTS.get(options.command, options.command)
        body = {"team": options.team, "as": options.person, "act": act, "args": args}
        answer = _ask(f"{options.url}/_sandbox/act", body)
        if answer.get("ok"):
            print(answer.get("ts") or "done")
    if not answer.get("ok"):
        print(answer.get("error"), file=sys.stderr)
        return 1
    return 0


def _ask(url: str, body: dict[str, Any] | None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data)) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        return dict(json.load(error))


def _line(message: dict[str, Any]) -> str:
    indent = "    " if message["thread"] is not None else ""
    marks = " (edited)" if message["edited"] else ""
    reactions = "".join(f"  :{name}: {', '.join(who)}" for name, who in message["reactions"])
    shared = "".join(f"  [{name}]" for name, _ in message["files"])
    return f"{message['ts']}  {indent}{message['author']}: {message['text']}{marks}{shared}{reactions}"
