"""The one way in which a call or an act is refused: with Slack's word for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Json


class SlackRefusal(Exception):
    """Refuses with an error code and what the answer carries besides it."""

    def __init__(self, code: str, messages: tuple[str, ...] = (), **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages
        self.fields = fields

    def answer(self) -> Json:
        """The body of the answer."""
        body: Json = {"ok": False, "error": self.code, **self.fields}
        if self.messages:
            body["response_metadata"] = {"messages": list(self.messages)}
        return body
