"""A person's account of Slack: whose it is, and whether their direct messages cross.

Somebody who says that an account is theirs proves it by a code that the bot sends them there. Admins need no proof.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.administration import people
from bridge.administration.accounts import missing_accounts
from bridge.errors import Declined
from portals.commands import replies
from portals.commands.replies import spelt
from portals.ids import MatrixUserId, SlackUserId, TeamId, action_key
from portals.people.links import How, Wanted, flaw_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.administration.office import Office
    from bridge.commands.asker import Asker
    from bridge.slack.client import SlackClient
    from bridge.store.questions import Questions
    from portals.commands.command import AskLink, LinkPerson, Unlink
    from portals.text import Document

_TAKES = frozenset({"im:write", "im:history", "chat:write"})
_CLOCKS_APART = 600
_BY_ADMINS = "an admin can link you: `people link`, your id in Slack and your Matrix user id"


class OwnAccount:
    """Links people and notes their consent; `code_of` makes the code of an event, always the same."""

    def __init__(self, office: Office, questions: Questions, code_of: Callable[[str], str]) -> None:
        self._office = office
        self._people = office.store.people
        self._questions = questions
        self._code_of = code_of

    # --- by proof

    async def ask(self, command: AskLink, asker: Asker) -> Document:
        """Send a code to an account of Slack, which whoever has it repeats here."""
        if not self._office.settings.commands.self_link:
            raise Declined("no_proof", f"here, nobody can link themself: {_BY_ADMINS}")
        team, client = self._office.workspace(command.workspace or None)
        user = SlackUserId(command.user)
        if flaw := flaw_of(asker.user, self._office.store.names):
            raise Declined("bad_account", flaw)
        await self._decline_links(team, user, asker.user)
        lacks = _TAKES - (await client.auth()).scopes
        if lacks:
            raise Declined(
                "missing_scope", f"the app lacks {', '.join(sorted(lacks))} to send you a code: {_BY_ADMINS}"
            )
        code = self._code_of(asker.event_id)
        await self._questions.ask(asker.user, asker.room, code, {"what": "link", "team": team, "user": user})
        await self._send(client, user, code, asker)
        return replies.said(
            f"I have sent {user} a code in Slack, from the app. Write it here within an hour: "
            f"`{asker.prefix}link confirm CODE`"
        )

    async def _decline_links(self, team: TeamId, user: SlackUserId, account: MatrixUserId) -> None:
        names = await self._people.names(team)
        if user not in names:
            raise Declined("not_found", f"the bridge has met no {user}: your profile in Slack shows your id under ⋮")
        known = await self._people.known(team)
        if known.accounts.get(user) == account:
            raise Declined("linked", f"you are linked to {user} already")
        if user in known.accounts or account in known.users:
            raise Declined(
                "linked", "one of the two accounts is linked to another one: `unlink` first, or ask an admin"
            )

    async def _send(self, client: SlackClient, user: SlackUserId, code: str, asker: Asker) -> None:
        opened = await client.call("conversations.open", users=user)
        channel = opened.get("channel")
        place = str(channel.get("id") or "") if isinstance(channel, dict) else ""
        key = action_key(asker.key, "code")
        if asker.unsure and await client.find_stamp(place, key, f"{max(asker.since - _CLOCKS_APART, 0):.6f}"):
            return
        words = (
            f"The Matrix account `{asker.user}` says that this Slack account is theirs. If that is you, write this to "
            f"the bot in Matrix: `link confirm {spelt(code)}`. If not, do nothing, and give the code to nobody."
        )
        await client.post(place, words, key=key, unfurl_links=False)

    async def confirm(self, code: str, asker: Asker) -> Document:
        """Link whoever knows the code that was sent to an account of Slack."""
        asked = await self._questions.asked(asker.user, asker.room, code)
        if asker.done:
            await self._questions.forget(asker.user, asker.room)
            return replies.said("You are linked to your Slack account now.")
        if asked is None or asked["what"] != "link":
            raise Declined(
                "no_question", "that is not the code, or no longer: write it in the room in which you asked for it"
            )
        team, user = TeamId(asked["team"]), SlackUserId(asked["user"])
        await self._people.link(team, [Wanted(user, asker.user, How.HAND)], str(asker.actor))
        await self._office.store.tell_of_people(team)
        await self._questions.forget(asker.user, asker.room)
        return replies.said(f"You are linked to {user} now: mentions reach you, and you are invited to your channels.")

    # --- by hand

    async def link(self, command: LinkPerson, asker: Asker) -> Document:
        """Link somebody, as an admin says."""
        team, _ = self._office.workspace(command.workspace or None)
        user, account = SlackUserId(command.user), MatrixUserId(command.account)
        settings = self._office.settings

        async def missing(accounts: Sequence[MatrixUserId]) -> list[MatrixUserId]:
            return await missing_accounts(settings, accounts)

        made = await people.link(
            self._office.store, team, user, account, asker.actor, missing=missing, domain=settings.homeserver.domain
        )
        return replies.said(
            f"{user} {'is' if made or asker.done else 'was'} linked to {account}{'' if made else ' already'}."
        )

    async def unlink(self, command: Unlink, asker: Asker) -> Document:
        """End one's own link, or as an admin that of another."""
        if command.user:
            team, _ = self._office.workspace(command.workspace or None)
            theirs = [(team, SlackUserId(command.user))]
        else:
            theirs = await self._linked(asker)
        for team, user in theirs:
            if user in await self._people.accounts(team) or not asker.done:
                await people.unlink(self._office.store, team, user, asker.actor)
        return replies.said("The link has ended.")

    async def consent(self, asker: Asker, *, given: bool) -> Document:
        """Note that somebody agrees that their direct messages cross, or no longer."""
        for team, user in await self._linked(asker):
            await self._people.consent(team, user, given=given, actor=str(asker.actor), reason="said so to the bot")
            await self._office.store.tell_of_people(team)
        if given:
            return replies.said(f"Your direct messages may cross from now on. `{asker.prefix}withdraw` ends that.")
        return replies.said(f"Your direct messages do not cross any more. `{asker.prefix}consent` lets them again.")

    async def _linked(self, asker: Asker) -> list[tuple[TeamId, SlackUserId]]:
        """Return whom an account belongs to in Slack, in each workspace; raises Declined for nobody."""
        found = []
        for team in await self._people.workspaces():
            user = (await self._people.known(team)).users.get(asker.user)
            if user is not None:
                found.append((team, user))
        if not found and not asker.done:
            raise Declined("not_linked", f"you are not linked to an account of Slack: `link U…` first, or {_BY_ADMINS}")
        return found
