"""The command `sequoia clean`."""

from __future__ import annotations

from contextlib import nullcontext

import click


@click.command(
    "clean",
    help="Remove old runs, models, checkpoints, snapshots, scratch and table history; never raw data.",
)
@click.option("--dry-run", is_flag=True, help="Say what would go, with ages and sizes, and remove nothing.")
@click.option(
    "--config", default="base.yaml", show_default=True, help="YAML file, or a name shipped in conf/."
)
@click.argument("overrides", nargs=-1, metavar="[section.key=value]...")
def clean_command(dry_run: bool, config: str, overrides: tuple[str, ...]) -> None:
    """Remove what nothing needs any more."""
    from sequoia.config import load_config
    from sequoia.retention.clean import clean
    from sequoia.stage import Context

    context = Context(load_config(config, overrides))
    with nullcontext() if dry_run else context.locked():
        click.echo(clean(context, dry_run=dry_run))
