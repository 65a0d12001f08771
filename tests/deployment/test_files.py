"""The image, the compose file and the unit fit the program: what they copy, ask, open and let write is what it has."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bridge.cli import cli
from config.loader import parse
from config.reference import render
from tests.deployment.steps import DOCKER, compose, stages, unit, walk
from tests.house.sources import ROOT, files

if TYPE_CHECKING:
    from pathlib import Path

    from config.document import Plain

VALUES: dict[str, Plain] = {
    "homeserver": {"domain": "example.org"},
    "appservice": {"as_token": "as" * 24, "hs_token": "hs" * 24},
    "slack": {"workspaces": []},
}


def test_the_image_copies_what_is_there_and_what_is_not_kept_out_of_its_context() -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        source
        for stage in stages()
        for step in stage.steps
        if step.word == "COPY" and not step.rest.startswith("--from=")
        for source in step.rest.split()[:-1]
    ]
    assert set(copied) == set(let_in)
    assert [one for one in copied if not (ROOT / one).exists()] == []
    packages = {path.parts[0] for path in files() if path.suffix == ".py" and path.parts[0] != "tests"}
    assert packages <= set(copied)


def test_the_image_runs_the_program_without_rights_and_with_its_settings(tmp_path: Path) -> None:
    *_, last = stages()
    said = {step.word: step.rest for step in last.steps}
    assert said["USER"] == "causeway"
    assert (said["ENTRYPOINT"], said["CMD"]) == ('["causeway"]', '["run"]')
    assert said["WORKDIR"] == said["VOLUME"] == str(PurePosixPath("/data/config.yaml").parent)
    assert "CAUSEWAY_CONFIG=/data/config.yaml" in said["ENV"]
    assert "--uid 10001" in said["RUN"]
    synapse = compose()["services"]["synapse"]["environment"]
    assert (synapse["UID"], synapse["GID"]) == ("10001", "10001")  # who reads the registration that the bridge wrote
    settings = parse(render(VALUES), "a test", tmp_path, {})
    assert str(settings.appservice.listen.port) in said["EXPOSE"].split()


def test_the_environment_of_compose_is_of_settings_that_there_are(tmp_path: Path) -> None:
    bridge = compose()["services"]["bridge"]
    given = {name: value for name, value in bridge["environment"].items() if name.startswith("CAUSEWAY_")}
    settings = parse(render(VALUES), "a test", tmp_path, given)
    assert str(settings.console.listen) == given["CAUSEWAY_CONSOLE_LISTEN"]
    port = given["CAUSEWAY_CONSOLE_LISTEN"].rpartition(":")[2]
    assert bridge["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f":{port}/healthz" in bridge["healthcheck"]["test"][-1]
    assert bridge["read_only"] is True
    assert bridge["volumes"] == ["bridge:/data"]


def test_what_the_services_of_compose_mount_and_wait_for_is_there() -> None:
    told = compose()
    for name, service in told["services"].items():
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0]
            assert source in told["volumes"] or (DOCKER / source).is_file(), (name, mount)
        for other, how in service.get("depends_on", {}).items():
            assert other in told["services"]
            has_check = "healthcheck" in told["services"][other] or other == "synapse"  # whose image brings one
            assert how["condition"] != "service_healthy" or has_check, (name, other)
        for text in re.findall(r"\$\{(\w+)", str(service)):
            assert text in ("POSTGRES_PASSWORD", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")


@pytest.mark.parametrize("name", ["causeway.service", "compose.yaml"])
def test_every_command_of_ours_in_a_walk_is_one(name: str) -> None:
    commands = [
        re.split(r"(?:^|/| )(?:bin/causeway|bridge causeway|bridge) (?=\w)", line)[-1]
        for line in walk(name)
        if re.search(r"bin/causeway |bridge (causeway |init )", line)
    ]
    assert commands
    for command in commands:
        word = shlex.split(command.replace("$", ""))[0]
        assert CliRunner().invoke(cli, [word, "--help"]).exit_code == 0, command
    for path in re.findall(r"(?:docker/)?[\w.-]+\.(?:service|lock)\b", " ".join(walk(name))):
        assert (ROOT / path).exists(), path


def test_the_unit_is_one_that_systemd_takes() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("NO SYSTEMD: the unit is not looked at by systemd-analyze")
    told = subprocess.run(
        [analyze, "verify", str(DOCKER / "causeway.service")], capture_output=True, text=True, timeout=60, check=False
    )
    wrong = [line for line in told.stderr.splitlines() if "causeway.service" in line]
    allowed = ("is not executable", "postgresql.service")  # nothing is installed here
    assert [line for line in wrong if not any(one in line for one in allowed)] == []


def test_the_unit_does_not_try_again_what_the_configuration_forbids() -> None:
    from bridge.cli import BAD_CONFIGURATION

    service = unit()["Service"]
    assert service["RestartPreventExitStatus"] == str(BAD_CONFIGURATION)
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
