"""The commands that walk the road: one per stage, `run` for all or some of them, and `demo`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sequoia.road.stages import ROAD, choose_stages
from sequoia.secrets import redact

if TYPE_CHECKING:
    from sequoia.config import Config

Body = Callable[..., None]
Options = Callable[[Body], Body]


def road_commands(options: Callable[[str], Options], *, epilog: str) -> list[click.Command]:
    """Return the commands; `options` adds those that every command has, given the settings file's default."""
    settings = options("base.yaml")
    stages = [_stage(name, settings) for name in ROAD]
    commands = [_generate(settings), *stages, _run(settings), _demo(options("demo.yaml"))]
    for command in commands:
        command.epilog = epilog
    return commands


def _stage(name: str, settings: Options) -> click.Command:
    @click.command(name, help=ROAD[name])
    @settings
    def command(config: str, overrides: tuple[str, ...]) -> None:
        from sequoia.config import load_config
        from sequoia.road.walk import run_stages

        run_stages([name], load_config(config, overrides))

    return command


def _generate(settings: Options) -> click.Command:
    @click.command("generate", help="Write the generated corpus, which ingest.raw=generated reads.")
    @settings
    def command(config: str, overrides: tuple[str, ...]) -> None:
        from sequoia.config import load_config

        _write_corpus(load_config(config, overrides))

    return command


def _run(settings: Options) -> click.Command:
    @click.command("run", help="Run all stages in order and show the summary.")
    @_choice
    @settings
    def run(config: str, overrides: tuple[str, ...], **choice: Any) -> None:
        _walk(config, list(overrides), **choice)

    return run


def _demo(settings: Options) -> click.Command:
    @click.command("demo", help="Run the whole road on generated reviews, or on the files of a folder.")
    @click.option(
        "--raw", default=None, help="Folder with raw files; without it a small corpus is generated."
    )
    @click.option(
        "--category", default=None, help="Category whose files are read, such as Magazine_Subscriptions."
    )
    @click.option("--workspace", default=None, help="Folder for everything the run writes.")
    @click.option("--launcher", default=None, type=click.Choice(["horovod", "torchrun", "single"]))
    @_choice
    @settings
    def demo(
        raw: str | None, category: str | None, workspace: str | None, launcher: str | None, **common: Any
    ) -> None:
        given = {"ingest.raw": raw, "ingest.category": category, "training.launcher": launcher}
        given["workspace"] = workspace or (f".workspace/{category or 'raw'}" if raw else None)
        chosen = [f"{key}={value}" for key, value in given.items() if value]
        _walk(common.pop("config"), [*chosen, *common.pop("overrides")], **common)

    return demo


def _choice(body: Body) -> Body:
    """Add the options that choose stages."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Say what would run, on which files, for how long."),
        click.option("--only", metavar="STAGE,...", help="These stages and no others."),
        click.option("--to", "last", metavar="STAGE", help="Last stage to run."),
        click.option("--from", "first", metavar="STAGE", help=f"First stage to run ({', '.join(ROAD)})."),
    ):
        body = option(body)
    return body


def _walk(
    config: str, overrides: list[str], *, first: str | None, last: str | None, only: str | None, dry_run: bool
) -> None:
    """Run the chosen stages, the report's with the summary, or say what would run."""
    wanted = () if only is None else [name.strip() for name in only.split(",")]
    names = choose_stages(first, last, wanted)
    from sequoia.config import load_config

    loaded = load_config(config, overrides)
    if "train" in names:
        from sequoia.config.models import check_models

        check_models(loaded.models, loaded.training.models)
    if dry_run:
        from sequoia.road.dry_run import describe

        click.echo(redact(describe(names, loaded)))
    else:
        from sequoia.ingest.settings import GENERATED
        from sequoia.report.terminal import show_summary
        from sequoia.road.walk import run_stages

        if "ingest" in names and loaded.ingest.raw == GENERATED:
            _write_corpus(loaded)
        run_stages(names, loaded, then=show_summary if "report" in names else None)


def _write_corpus(config: Config) -> None:
    from sequoia.road.stage import Context
    from sequoia.road.walk import run_command
    from sequoia.synthetic.generate import generate

    run_command("generate", Context(config), generate)
