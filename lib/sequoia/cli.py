"""The console command: `sequoia <stage> [--config FILE] [section.key=value ...]`.

The same parser serves `jobs/<stage>.py` under spark-submit and as a Databricks task. To be imported it needs
click alone: `sequoia doctor` is for where the rest is missing.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from sequoia import log
from sequoia.errors import UserError
from sequoia.guard import guarded
from sequoia.promote.commands import promotion_commands
from sequoia.retention.command import clean_command
from sequoia.secrets import redact
from sequoia.stages import ROAD, choose_stages

EXIT_CODES = """\b
Exit codes: 0 done; 1 everything else, such as a bug (with its trace);
2 the user's mistake; 3 the gate refused (promote); 4 another run holds
the workspace's lock."""

Body = Callable[..., None]


def config_option(default: str) -> Callable[[Body], Body]:
    """Return the option --config with a default of its own."""
    return click.option(
        "--config", default=default, show_default=True, help="YAML file, or a name shipped in conf/."
    )


CONFIG = config_option("base.yaml")
OVERRIDES = click.argument("overrides", nargs=-1, metavar="[section.key=value]...")


def settings_options(body: Body) -> Body:
    """Add the settings file and overrides of single settings."""
    return CONFIG(OVERRIDES(body))


def road_options(body: Body) -> Body:
    """Add the options that choose stages."""
    names = ", ".join(ROAD)
    for option in (
        click.option("--dry-run", is_flag=True, help="Say what would run, on which files, for how long."),
        click.option("--only", metavar="STAGE,...", help="These stages and no others."),
        click.option("--to", "last", metavar="STAGE", help="Last stage to run."),
        click.option("--from", "first", metavar="STAGE", help=f"First stage to run ({names})."),
    ):
        body = option(body)
    return body


def _version(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from sequoia.provenance import code_version

        click.echo(f"sequoia {code_version()}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Version and commit.",
)
def cli() -> None:
    """Sequential recommendation from raw interactions to promoted models."""


def stage_command(name: str) -> click.Command:
    """Return the command of one stage."""

    @click.command(name, help=ROAD[name], epilog=EXIT_CODES)
    @CONFIG
    @OVERRIDES
    def command(config: str, overrides: tuple[str, ...]) -> None:
        from sequoia.config import load_config
        from sequoia.stages import run_stages

        end(run_stages([name], load_config(config, overrides)))

    return command


@cli.command("run", help="Run all stages in order and show the summary.", epilog=EXIT_CODES)
@road_options
@CONFIG
@OVERRIDES
def run_command(config: str, overrides: tuple[str, ...], **choice: Any) -> None:
    """Run the road, or the part of it that was chosen."""
    walk(config, list(overrides), **choice)


@cli.command(
    "demo", help="Run the whole road on generated reviews, or on the files of a folder.", epilog=EXIT_CODES
)
@click.option("--raw", default=None, help="Folder with raw files; without it a small corpus is generated.")
@click.option(
    "--category", default=None, help="Category whose files are read, such as Magazine_Subscriptions."
)
@click.option("--workspace", default=None, help="Folder for everything the run writes.")
@click.option("--launcher", default=None, type=click.Choice(["horovod", "torchrun", "single"]))
@road_options
@config_option("demo.yaml")
@OVERRIDES
def demo_command(
    raw: str | None, category: str | None, workspace: str | None, launcher: str | None, **common: Any
) -> None:
    """Run the whole road on generated reviews or on raw files."""
    given = {"ingest.raw": raw, "ingest.category": category, "training.launcher": launcher}
    given["workspace"] = workspace or (f".workspace/{category or 'raw'}" if raw else None)
    chosen = [f"{key}={value}" for key, value in given.items() if value]
    walk(common.pop("config"), [*chosen, *common.pop("overrides")], **common)


def walk(
    config: str, overrides: list[str], *, first: str | None, last: str | None, only: str | None, dry_run: bool
) -> None:
    """Run the chosen stages, or say what would run."""
    wanted = () if only is None else [name.strip() for name in only.split(",")]
    names = choose_stages(first, last, wanted)
    from sequoia.config import load_config

    loaded = load_config(config, overrides)
    if dry_run:
        from sequoia.dry_run import describe

        click.echo(redact(describe(names, loaded)))
    else:
        from sequoia.stages import run_stages

        end(run_stages(names, loaded, show=True))


@cli.command("config", epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="For programs: value and origin by key, and the hash.")
@CONFIG
@click.argument("keys", nargs=-1, metavar="[section.key]... [section.key=value]...")
def config_command(as_json: bool, config: str, keys: tuple[str, ...]) -> None:
    """Print the effective settings and where each value comes from; secrets are hidden.

    Name settings or sections to see only them; overrides count as they do in a run.
    """
    from sequoia import config_origin

    shown = [key for key in keys if "=" not in key]
    loaded, entries = config_origin.effective(config, [key for key in keys if "=" in key], shown)
    click.echo(config_origin.as_json(loaded, entries) if as_json else config_origin.as_table(entries))


@cli.command("doctor", epilog=EXIT_CODES)
def doctor_command() -> None:
    """Say which parts of the environment work together, and what to do about the others.

    Needs nothing but click; exit code 2 when something needed is missing.
    """
    from sequoia.doctor import diagnose, healthy, render

    checks = diagnose()
    click.echo(render(checks))
    end(0 if healthy(checks) else UserError.exit_code)


def end(code: int) -> None:
    """Let the command end with an exit code other than 0."""
    if code:
        sys.exit(code)


for _name in ROAD:
    cli.add_command(stage_command(_name))
for _command in (
    # promote among them, with options of its own, in the stage's place
    *promotion_commands(settings_options, epilog=EXIT_CODES),
    clean_command(settings_options, epilog=EXIT_CODES),
):
    cli.add_command(_command)


def main() -> None:
    """Run the console command; a polite kill ends it as Ctrl-C does, with the lock given back."""
    signal.signal(signal.SIGTERM, _interrupt)
    _run(cli, "sequoia")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt("stopped by SIGTERM")


def job(name: str) -> None:
    """Run one command as a script: the entry point of jobs/<name>.py."""
    _run(cli.commands[name], f"jobs/{name}.py")


def _run(command: click.Command, program: str) -> None:
    log.start()
    log.capture_others()
    try:
        code: str | int | None = guarded(partial(command, prog_name=program))
    except SystemExit as ended:
        code = ended.code
    # To a Databricks task any SystemExit is a failure, code 0 included.
    if code:
        sys.exit(code)
