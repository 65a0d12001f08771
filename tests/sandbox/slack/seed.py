"""Workspaces with something in them. `demo_workspace` looks like a small company in the middle of its week."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.slack.people import Upload, bot_message
from tests.sandbox.slack.pictures import pdf, png
from tests.sandbox.slack.state import Usergroup

if TYPE_CHECKING:
    from tests.sandbox.slack.server import SlackSandbox
    from tests.sandbox.slack.workspace import Workspace

_PEOPLE = (
    ("amara", "Amara Okafor", "Head of Operations"),
    ("bruno", "Bruno Keller", "Backend"),
    ("chiara", "Chiara Ricci", "Design"),
    ("daniel", "Daniel Šimek", "Support"),
    ("eszter", "Eszter Varga", "Finance"),
    ("farid", "Farid Haddad", "Infrastructure"),
    ("greta", "Greta Lindqvist", "People"),
    ("hiro", "Hiro Tanaka", "Frontend"),
    ("ines", "Inês Duarte", "Marketing"),
    ("jonas", "Jonas Weber", "Backend"),
)


def demo_workspace(sandbox: SlackSandbox) -> Workspace:
    """A dozen people, public and private channels, threads, reactions, files, edits, another bot."""
    workspace = sandbox.new_team("Northwind Supply", "northwind")
    for name, real_name, title in _PEOPLE:
        workspace.add_user(name, real_name, display_name=real_name.split()[0], title=title)
    workspace.user("amara").is_admin = True
    workspace.add_user("lena.guest", "Lena Fuchs", display_name="Lena (guest)", is_ultra_restricted=True)
    workspace.add_user("tom", "Tom Hale", display_name="Tom", deleted=True)
    for number, user in enumerate(list(workspace.users.values())):
        shade = (60 + number * 37 % 180, 60 + number * 71 % 180, 60 + number * 113 % 180)
        workspace.avatars[user.id] = png(96, 96, shade, (250, 250, 250))
    workspace.emoji |= {"shipit": "custom", "northwind": "custom", "ship": "alias:shipit"}
    workspace.emoji_images |= {"shipit": png(32, 32, (90, 160, 90)), "northwind": png(32, 32, (40, 90, 200))}
    oncall = Usergroup(workspace.mint.make("S"), "oncall", "On call", [workspace.user("farid").id])
    workspace.usergroups[oncall.id] = oncall
    _fill_general(workspace)
    _fill_engineering(workspace, oncall)
    _fill_design(workspace)
    _fill_the_rest(workspace)
    workspace.clock.turn_forward()
    return workspace


def _fill_general(workspace: Workspace) -> None:
    amara, bruno, greta, ines = (workspace.person(name) for name in ("amara", "bruno", "greta", "ines"))
    workspace.clock.turn_back(52, 25)
    everyone = [name for name, _, _ in _PEOPLE]
    general = amara.create("general", members=[*everyone, workspace.installation.bot_user])
    general.is_general = True
    amara.set_topic("#general", "Company-wide news. Be kind.")
    amara.set_purpose("#general", "Everybody is here")
    said = amara.post(
        "#general",
        "Good morning everyone! The new warehouse in *Rotterdam* opens on Monday :tada:",
    )
    for person, name in ((bruno, "tada"), (greta, "tada"), (ines, "clap::skin-tone-4"), (bruno, "northwind")):
        person.react("#general", said.ts, name)
    asked = greta.post("#general", "Who can help at the stand on Thursday? <!here>")
    bruno.post("#general", "I can, until noon", thread_ts=asked.ts)
    ines.post("#general", "Count me in :raised_hand::skin-tone-3:", thread_ts=asked.ts)
    greta.post("#general", "We are complete, thank you!", thread_ts=asked.ts, broadcast=True)
    corrected = amara.post("#general", "Lunch is at 12:30 today")
    amara.edit("#general", corrected.ts, "Lunch is at *13:00* today, not at 12:30")
    plan = Upload("warehouse-plan.pdf", pdf("Rotterdam warehouse, ground floor"), "Warehouse plan")
    amara.post("#general", "The floor plan, as promised", files=[plan])


def _fill_engineering(workspace: Workspace, oncall: Usergroup) -> None:
    bruno, farid, hiro, jonas = (workspace.person(name) for name in ("bruno", "farid", "hiro", "jonas"))
    workspace.clock.turn_back(27, 8)
    members = ["farid", "hiro", "jonas", workspace.installation.bot_user]
    bruno.create("engineering", members=members)
    bruno.set_topic("#engineering", "Deploys on Tuesdays and Thursdays & never on Fridays")
    alert = bot_message(workspace, "#engineering", "Deploy of `orders-api` *v4.12.0* finished in 3m 12s")
    farid.react("#engineering", alert.ts, "shipit")
    root = jonas.post(
        "#engineering",
        f"<!subteam^{oncall.id}> the queue of orders-api is growing, see https://status.northwind.example/queues?q=a&b=c",
    )
    farid.post("#engineering", "Looking. It is this:\n```SELECT * FROM orders WHERE state < 3;```", thread_ts=root.ts)
    farid.post("#engineering", f"{jonas.mention} an index was missing, _fixed_ now", thread_ts=root.ts)
    jonas.react("#engineering", root.ts, "white_check_mark")
    hiro.post("#engineering", "Todo before the release:\n• translations\n• dark mode\n• the ~old~ new logo")
    log = Upload("build.log", b"".join(b"step %d ok\n" % step for step in range(40)), "Build log")
    bruno.post("#engineering", "Full log of the build", files=[log])
    wrong = hiro.post("#engineering", "oops, wrong channel")
    hiro.delete("#engineering", wrong.ts)
    bruno.pin("#engineering", root.ts)


def _fill_design(workspace: Workspace) -> None:
    chiara, hiro = workspace.person("chiara"), workspace.person("hiro")
    workspace.clock.turn_back(20, 6)
    chiara.create("design", private=True, members=["hiro", "ines", workspace.installation.bot_user])
    logo = Upload("logo-draft.png", png(320, 200, (30, 60, 140), (240, 200, 60)), "Logo, second draft")
    shared = chiara.post("#design", "Second draft. More yellow?", files=[logo])
    hiro.post("#design", "> More yellow?\nYes please", thread_ts=shared.ts)
    hiro.react("#design", shared.ts, "heart_eyes")
    pair = [
        Upload("icon-light.png", png(64, 64, (250, 250, 250))),
        Upload("icon-dark.png", png(64, 64, (20, 20, 30))),
    ]
    chiara.post("#design", "", files=pair)


def _fill_the_rest(workspace: Workspace) -> None:
    daniel, eszter, greta = (workspace.person(name) for name in ("daniel", "eszter", "greta"))
    workspace.clock.turn_back(9, 4)
    daniel.create("support", members=["amara", "bruno", "lena.guest", workspace.installation.bot_user])
    daniel.post(
        "#support", "Ticket 4711: customer asks for the invoice of March <mailto:eszter@northwind.example|Eszter>?"
    )
    daniel.me("#support", "goes for a coffee")
    greta.create("random", members=["hiro", "ines", "jonas"])
    greta.post("#random", "The bot is not in this channel yet")
    eszter.create("finance-private", private=True, members=["amara"])
    eszter.post("#finance-private", "Nobody else sees this, the bot least of all")
    greta.create("summer-party-2023", members=["ines"])
    greta.post("#summer-party-2023", "That was fun!")
    greta.archive("#summer-party-2023")
    daniel.direct("amara")


def empty(sandbox: SlackSandbox) -> Workspace:
    """A workspace with its app and nobody else."""
    return sandbox.new_team("Acme")


SEEDS = {"demo": demo_workspace, "empty": empty}
