"""`causeway run`: the service itself, from the first log line to an orderly stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, load_settings

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from config.settings import Settings


@click.command(
    epilog="""\b
    Examples:
      causeway run
      causeway run --config /etc/causeway/config.yaml
      CAUSEWAY_LOGGING_LEVEL=debug causeway run""",
    short_help="Bridge until told to stop.",
)
@config_option
def run(config: Path) -> None:
    """Bridge until told to stop (SIGTERM or Ctrl-C).

    Told to stop, it brings to an end what is under way, for five seconds at most, and says what is left; a second
    signal cuts it off. It may be killed at any moment: what was accepted is kept and goes on at the next start. Logs go
    to standard error, as the settings `logging.level` and `logging.format` say.
    """
    import asyncio
    import logging

    from bridge.cli.logs import set_up_logging
    from bridge.errors import BridgeError

    settings = load_settings(config)
    set_up_logging(settings.logging.level, settings.logging.format, settings.secrets())
    try:
        with asyncio.Runner(loop_factory=quick_loop()) as runner:
            runner.run(_until_told(settings))
    except BridgeError as error:
        logging.getLogger("bridge").critical("%s", error)
        raise click.exceptions.Exit(1) from error


def quick_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Make loops by uvloop where there is one for this platform, else the standard ones."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _until_told(settings: Settings) -> None:
    """Run the bridge; the first signal has it come to rest, the second cuts it off, and neither is a failure."""
    import asyncio
    import logging
    import signal

    from bridge.app import Hooks
    from bridge.app import run as run_bridge

    log = logging.getLogger("bridge")
    rest = asyncio.Event()
    bridge = asyncio.ensure_future(run_bridge(settings, Hooks(told=rest)))
    loop = asyncio.get_running_loop()
    told: list[signal.Signals] = []

    def stop(sign: signal.Signals) -> None:
        log.info("stopping, told by %s", sign.name)
        if told:
            bridge.cancel()
        told.append(sign)
        rest.set()

    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop, sign)
    try:
        await bridge
    except asyncio.CancelledError:
        if not told:
            raise
    log.info("stopped")
