"""The commands that change which version is in use: promote, rollback and release."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sequoia.config import Config

Body = Callable[..., None]


class _Version(click.IntRange):
    """A version's number, or nothing: the parameters of a workflow are never absent, only empty."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return None if value == "" else super().convert(value, param, ctx)


def promotion_commands(settings: Callable[[Body], Body], *, epilog: str) -> list[click.Command]:
    """Return the commands; `settings` adds the options that every command has."""
    commands = [_promote(settings), _rollback(settings), _release(settings)]
    for command in commands:
        command.epilog = epilog
    return commands


def _promote(settings: Callable[[Body], Body]) -> click.Command:
    @click.command(
        "promote",
        help="Register the best model and move the alias if the gate passes; exit code 3 when it refuses.",
    )
    @click.option("--dry-run", is_flag=True, help="Print the decision with its reasons and change nothing.")
    @click.option(
        "--allow-rejected", is_flag=True, help="Let a version that was rolled back be promoted again."
    )
    @settings
    def promote(dry_run: bool, allow_rejected: bool, config: str, overrides: tuple[str, ...]) -> None:
        loaded = _load(config, overrides, allow_rejected=allow_rejected)
        click.get_current_context().exit(_preview(loaded) if dry_run else _decide(loaded))

    return promote


def _rollback(settings: Callable[[Body], Body]) -> click.Command:
    @click.command(
        "rollback", help="Move the alias back to the champion before; the version left is not promoted again."
    )
    @click.option(
        "--to", type=_Version(min=1), default=None, help="Version to go to instead.", metavar="VERSION"
    )
    @click.option("--reason", default="", help="Why; kept with the version and in the audit.")
    @settings
    def rollback(to: int | None, reason: str, config: str, overrides: tuple[str, ...]) -> None:
        from sequoia.promote.rollback import roll_back
        from sequoia.road.stage import Context
        from sequoia.road.walk import run_command

        context = Context(_load(config, overrides))
        asked = partial(roll_back, to=None if to is None else str(to), reason=reason)
        run_command("rollback", context, asked)

    return rollback


def _release(settings: Callable[[Body], Body]) -> click.Command:
    @click.command(
        "release", help="Copy the version behind an alias to another registered model, as from dev to prod."
    )
    @click.option(
        "--from", "source", default=None, help="Registered model; default: tracking.registered_model."
    )
    @click.option("--to", "target", required=True, help="Registered model, such as prod.sequoia.next_item.")
    @click.option("--alias", default=None, help="Alias on both sides; default: promote.alias.")
    @click.option("--allow-rejected", is_flag=True, help="Also release a version that was rolled back.")
    @settings
    def release(
        source: str | None,
        target: str,
        alias: str | None,
        allow_rejected: bool,
        config: str,
        overrides: tuple[str, ...],
    ) -> None:
        from sequoia.promote import release as releases
        from sequoia.road.stage import Context
        from sequoia.road.walk import run_command

        loaded = _load(config, overrides, allow_rejected=allow_rejected)
        source, alias = source or loaded.tracking.registered_model, alias or loaded.promote.alias
        asked = partial(releases.release, source=source, target=target, alias=alias)
        run_command("release", Context(loaded), asked)

    return release


def _load(config: str, overrides: tuple[str, ...], *, allow_rejected: bool = False) -> Config:
    from sequoia.config import load_config

    return load_config(config, [*overrides, *["promote.allow_rejected=true"] * allow_rejected])


def _decide(config: Config) -> int:
    from sequoia.road.walk import run_stages

    done = run_stages(["promote"], config)["promote"]
    return config.promote.refused_exit_code if done.details.get("action") == "refused" else 0


def _preview(config: Config) -> int:
    from sequoia.promote.preview import preview
    from sequoia.road.stage import Context

    text, refused = preview(Context(config))
    click.echo(text)
    return config.promote.refused_exit_code if refused else 0
