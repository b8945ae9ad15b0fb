"""The command `sequoia clean`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import click

Body = Callable[..., None]


def clean_command(settings: Callable[[Body], Body], *, epilog: str) -> click.Command:
    """Return the command; `settings` adds the options that every command has."""

    @click.command(
        "clean",
        epilog=epilog,
        help="Remove old runs, models, checkpoints, snapshots, scratch and table history; never raw data.",
    )
    @click.option(
        "--dry-run", is_flag=True, help="Say what would go, with ages and sizes, and remove nothing."
    )
    @settings
    def command(dry_run: bool, config: str, overrides: tuple[str, ...]) -> None:
        from sequoia.config import load_config
        from sequoia.retention.clean import clean
        from sequoia.road.stage import Context
        from sequoia.road.walk import run_command

        context = Context(load_config(config, [*overrides, *["retention.dry_run=true"] * dry_run]))
        if context.config.retention.dry_run:
            click.echo(clean(context, dry_run=True))
        else:
            run_command("clean", context, partial(clean, dry_run=False))

    return command
