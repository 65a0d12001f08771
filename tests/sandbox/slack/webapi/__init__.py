"""The Web API, by family. `METHODS` is the whole of it; what is not in it is an `unknown_method`."""

from __future__ import annotations

from tests.sandbox.slack.webapi import app, chat, conversations, files, history, marks, people

METHODS = (
    app.METHODS
    | chat.METHODS
    | conversations.METHODS
    | files.METHODS
    | history.METHODS
    | marks.METHODS
    | people.METHODS
)
