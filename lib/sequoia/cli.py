"""The console command: `sequoia <stage> [--config FILE] [section.key=value ...]`.

The same parser serves `jobs/<stage>.py` under spark-submit and as a Databricks task. To be imported it needs
click alone: `sequoia doctor` is for where the rest is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import click

from sequoia import log, standard_error
from sequoia.errors import UserError
from sequoia.guard import guarded
from sequoia.interrupt import interruptible
from sequoia.promote.commands import promotion_commands
from sequoia.retention.command import clean_command
from sequoia.road.commands import road_commands

EXIT_CODES = """\b
Exit codes: 0 done; 1 everything else, such as a bug (with its trace);
2 the user's mistake; 3 the gate refused (promote); 4 another run holds
the workspace's lock."""

Body = Callable[..., None]

CONFIG = "YAML file, or a name shipped in conf/."


def options(default: str) -> Callable[[Body], Body]:
    """Return what every command has: the settings file, with a default of its own, and overrides."""

    def added(body: Body) -> Body:
        config = click.option("--config", default=default, show_default=True, help=CONFIG)
        return config(click.argument("overrides", nargs=-1, metavar="[section.key=value]...")(body))

    return added


SETTINGS = options("base.yaml")


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


@cli.command("config", epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="For programs: value and origin by key, and the hash.")
@click.option("--config", default="base.yaml", show_default=True, help=CONFIG)
@click.argument("keys", nargs=-1, metavar="[section.key]... [section.key=value]...")
def config_command(as_json: bool, config: str, keys: tuple[str, ...]) -> None:
    """Print the effective settings and where each value comes from; secrets are hidden.

    Name settings or sections to see only them; overrides count as they do in a run.
    """
    from sequoia.config import origin

    shown = [key for key in keys if "=" not in key]
    loaded, entries = origin.effective(config, [key for key in keys if "=" in key], shown)
    click.echo(origin.as_json(loaded, entries) if as_json else origin.as_table(entries))


@cli.command("doctor", epilog=EXIT_CODES)
def doctor_command() -> None:
    """Say which parts of the environment work together, and what to do about the others.

    Needs nothing but click; exit code 2 when something needed is missing.
    """
    from sequoia.doctor import diagnose, healthy, render

    checks = diagnose()
    click.echo(render(checks))
    click.get_current_context().exit(0 if healthy(checks) else UserError.exit_code)


for _command in (
    *road_commands(options, epilog=EXIT_CODES),
    # promote among them, with options of its own, in the stage's place
    *promotion_commands(SETTINGS, epilog=EXIT_CODES),
    clean_command(SETTINGS, epilog=EXIT_CODES),
):
    cli.add_command(_command)


def main() -> None:
    """Run the console command."""
    _run(cli, "sequoia")


def job(name: str) -> None:
    """Run one command as a script: the entry point of jobs/<name>.py."""
    _run(cli.commands[name], f"jobs/{name}.py")


def _run(command: click.Command, program: str) -> None:
    # So that mistakes in the settings are told in this form, too.
    log.start("json" if "logging.format=json" in sys.argv[1:] else "text")
    log.capture_others()
    with standard_error.taken_over():
        try:
            with interruptible():
                code: str | int | None = guarded(partial(command, prog_name=program))
        except SystemExit as ended:
            code = ended.code
    # To a Databricks task any SystemExit is a failure, code 0 included.
    if code:
        sys.exit(code)
