"""`causeway check`: try everything that the bridge needs, and say what to do about what fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.check_portal import portal
from bridge.cli.options import config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from bridge.cli.checks.finding import Finding, Findings
    from config.settings import Settings

MARKS = {"ok": ("OK", "green"), "warn": ("WARN", "yellow"), "fail": ("FAIL", "red"), "skip": ("SKIP", "cyan")}


@click.group(
    invoke_without_command=True,
    epilog="""\b
    Examples:
      causeway check
      causeway check portal "#general"
      causeway check --config /etc/causeway/config.yaml
      causeway check --json | jq '.findings[] | select(.outcome == "fail")'""",
    short_help="Test everything that the bridge needs, and say what to do.",
)
@config_option
@click.option(
    "--registration",
    "registered",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The registration file to compare. The default is registration.yaml beside the configuration.",
)
@json_option
@click.pass_context
def check(ctx: click.Context, config: Path, registered: Path | None, as_json: bool) -> None:
    """Test tokens, scopes, addresses, the registration and the database, and say what to do about each failure.

    It can run beside the bridge, and then also tests the way from the homeserver to it. On the homeserver it leaves the
    account of a ghost, always the same one, who stands for nobody, and a file of a few bytes; nothing else is changed.
    The exit code is 1 when something failed.
    """
    if ctx.invoked_subcommand is not None:
        return
    import asyncio

    from bridge.cli.checks.files import check_files
    from bridge.cli.checks.finding import Finding
    from config.problems import ConfigError

    try:
        settings = load_settings(config)
    except ConfigError as error:
        findings = [Finding("configuration", "fail", str(problem), "") for problem in error.problems]
    else:
        findings = [Finding("configuration", "ok", f"{config} can be used")]
        findings += check_files(settings, config, registered or config.parent / "registration.yaml")
        findings += asyncio.run(_look(settings))
    if as_json:
        _print_json(findings)
    else:
        show(findings)
    if any(finding.outcome == "fail" for finding in findings):
        raise click.exceptions.Exit(1)


check.add_command(portal)


async def _look(settings: Settings) -> list[Finding]:
    """Let all checks run beside each other; their findings come in a fixed order."""
    import asyncio

    from bridge.cli.checks.matrix import check_homeserver
    from bridge.cli.checks.people import check_people
    from bridge.cli.checks.public import check_public
    from bridge.cli.checks.slack import check_file_host, check_request_url, check_workspace
    from bridge.cli.checks.store import check_store

    checks: list[Findings] = [
        check_store(settings),
        check_homeserver(settings),
        check_people(settings),
        *(check_workspace(settings, workspace) for workspace in settings.slack.workspaces),
        check_request_url(settings),
        check_file_host(settings),
        check_public(settings),
    ]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_gather(findings)) for findings in checks]
    return [finding for task in tasks for finding in task.result()]


async def _gather(findings: Findings) -> list[Finding]:
    return [finding async for finding in findings]


def show(findings: list[Finding]) -> None:
    """Print findings as a table, with what to do below each that needs it."""
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark, colour = MARKS[finding.outcome]
        click.echo(f"{click.style(f'{mark:<4}', fg=colour)}  {finding.subject:<{width}}  {finding.detail}")
        if finding.remedy:
            click.echo(f"{'':<{width + 8}}-> {finding.remedy}")
    failures = sum(finding.outcome == "fail" for finding in findings)
    click.echo(f"\n{failures} of {len(findings)} checks failed" if failures else "\nAll is well")


def _print_json(findings: list[Finding]) -> None:
    from dataclasses import asdict

    ok = all(finding.outcome != "fail" for finding in findings)
    print_json({"ok": ok, "findings": [asdict(finding) for finding in findings]})
