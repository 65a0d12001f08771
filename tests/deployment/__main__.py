"""Carries out the steps of the image and of the unit for real, without a container engine: `make deployment`, as root.

    overlay of this machine's root, thrown away at the end ─▶ RUN, COPY, USER … as the Dockerfile has them
                                                           ─▶ the walk at the head of the unit, as it stands
    ─▶ the program, without rights, on a root that nobody can write, in a network of its own ─▶ does it answer?

What is not proven: the base image (this machine's Debian and its `python3` stand in for it), systemd itself (what the
unit takes away is taken away by setpriv and by mounts), Synapse and PostgreSQL of the compose file.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.deployment.steps import compose, stages, unit, walk
from tests.house.sources import ROOT, files

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
NO_RIGHTS = "--no-new-privs --bounding-set=-all --inh-caps=-all --clear-groups"
ANSWERS = "http://127.0.0.1:29333/healthz"
ASKED = ("--no-ask", "--offline", "--domain", "example.org", "--bot-token", "xoxb-1-a", "--app-token", "xapp-1-a")
ALONE = """
ip link set lo up
for place in {written}; do mount --bind "$place" "$place"; done
mount -o remount,bind,ro /
cd {place}
env -i PATH={path} HOME=/nonexistent {environment} setpriv --reuid={user} --regid={user} {rights} {command} &
program=$!
trap 'kill $program 2>/dev/null || true' EXIT
for _ in $(seq 100); do {ask} 2>/dev/null && break; kill -0 $program; sleep 0.3; done
{ask}
if setpriv --reuid={user} --regid={user} {rights} touch {place}/written; then rm {place}/written; else exit 1; fi
if touch /etc/written 2>/dev/null; then exit 1; fi
kill $program
wait $program || test $? = 143
"""
"""A program in a network and on a root of its own; what it may write is bound writable before the root is not."""


def main() -> int:
    """Prove both; returns the exit code."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("setpriv") is None:
        print("this needs root, unshare and setpriv: nothing was proven", file=sys.stderr)
        return 1
    for name, script in (("the image", image()), ("the unit", service())):
        print(f"--- {name}", flush=True)
        code = in_overlay(script)
        if code:
            print(f"{name}: a step failed, with {code}", file=sys.stderr)
            return code
        print(f"{name}: every step was carried out, and the program answered and stopped", flush=True)
    return 0


def image() -> str:
    """Return the steps of the Dockerfile as a script, and the start of what they made."""
    lines = ["cd /"]
    user, place, environment = "root", "/", f"PATH={PATH}"
    for stage in stages():
        for step in stage.steps:
            match step.word:
                case "WORKDIR":
                    place = step.rest
                    lines.append(f"mkdir -p {place}; cd {place}")
                case "COPY" if not step.rest.startswith("--from="):
                    *sources, target = step.rest.split()
                    lines += [f"cp -rT /checkout/{one} {'./' + one if target == './' else target}" for one in sources]
                case "RUN":
                    lines.append(step.rest)
                case "USER":
                    user = step.rest
                case "ENV":
                    environment = step.rest.replace("$PATH", PATH)
    lines.append(f"chown {user} {place}")
    told = compose()["services"]["bridge"]
    more = {name: value for name, value in told["environment"].items() if name.startswith("CAUSEWAY_")}
    environment = " ".join([environment, *(f"{name}={shlex.quote(value)}" for name, value in more.items())])
    run = f"cd {place}; env -i {environment} setpriv --reuid={user} --regid={user} {NO_RIGHTS}"
    lines.append(f"{run} causeway init {shlex.join(ASKED)}")
    _, *check = told["healthcheck"]["test"]
    script = ALONE.format(
        written=f"{place} /tmp",
        place=place,
        path=environment.partition(" ")[0].removeprefix("PATH="),
        environment=environment,
        user=user,
        rights=NO_RIGHTS,
        command="causeway run",
        ask=shlex.join(check),
    )
    lines.append(f"unshare --mount --net bash -euc {shlex.quote(script)}")
    return "\n".join(lines)


def service() -> str:
    """Return the walk at the head of the unit as a script, and the start of what it made."""
    lines = ["cd /checkout", "id matrix-synapse >/dev/null 2>&1 || useradd --system matrix-synapse"]
    lines.append("mkdir -p /etc/matrix-synapse /etc/systemd/system")
    for line in walk("causeway.service"):
        if line.startswith("systemctl"):
            continue
        lines.append(f"{line} {shlex.join(ASKED)}" if " init " in line else line)
    told = unit()["Service"]
    user, place = told["User"], told["WorkingDirectory"]
    ask = f"python3 -c 'import urllib.request as u; u.urlopen(\"{ANSWERS}\", timeout=3)'"
    script = ALONE.format(
        written=f"{place} /tmp",
        place=place,
        path=PATH,
        environment="CAUSEWAY_CONSOLE_LISTEN=127.0.0.1:29333",
        user=user,
        rights=NO_RIGHTS,
        command=told["ExecStart"],
        ask=ask,
    )
    lines.append(f"unshare --mount --net bash -euc {shlex.quote(script)}")
    lines.append(f"test -s {place}/causeway.db && test -z \"$(find /etc/causeway -name 'causeway.db*')\"")
    lines.append(
        f'test "$(stat -c %U /etc/matrix-synapse/causeway.yaml) $(stat -c %U {place})" = "matrix-synapse {user}"'
    )
    return "\n".join(lines)


def in_overlay(script: str) -> int:
    """Run a script on a copy of this machine's root that is gone afterwards; the checkout lies at /checkout."""
    with tempfile.TemporaryDirectory(prefix="deployment-") as directory:
        checkout = Path(directory, "checkout")
        for path in files():
            target = checkout / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, target)
        Path(directory, "script").write_text(f"set -eux\nexport PATH={PATH}\n{script}\n")
        outer = f"""
        mount --make-rprivate /
        mkdir {directory}/here; mount -t tmpfs tmpfs {directory}/here
        cd {directory}/here; mkdir upper work root
        mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
        mount --rbind /dev root/dev; mount -t proc proc root/proc; mount -t tmpfs tmpfs root/tmp
        mkdir root/checkout; cp -rT {checkout} root/checkout; cp {directory}/script root/checkout/script
        exec chroot root bash /checkout/script
        """
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-euc", outer], check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
