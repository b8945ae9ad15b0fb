"""The console command: `sequoia <stage> [--config FILE] [section.key=value ...]`.

The same parser serves `jobs/<stage>.py` under spark-submit and as a Databricks task.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from sequoia.config import Config, load_config
from sequoia.errors import as_user_error
from sequoia.secrets import redact
from sequoia.stages import ROAD


def config_option(default: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the option --config with a default of its own."""
    return click.option(
        "--config", default=default, show_default=True, help="YAML file, or a name shipped in conf/."
    )


CONFIG = config_option("base.yaml")
OVERRIDES = click.argument("overrides", nargs=-1, metavar="[section.key=value]...")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Sequential recommendation from raw interactions to promoted models."""


def stage_command(name: str) -> click.Command:
    """Return the command of one stage."""

    @click.command(name, help=ROAD[name])
    @CONFIG
    @OVERRIDES
    def command(config: str, overrides: tuple[str, ...]) -> None:
        run_stages([name], load_config(config, overrides))

    return command


@cli.command("run", help="Run all stages in order and show the summary.")
@CONFIG
@OVERRIDES
def run_command(config: str, overrides: tuple[str, ...]) -> None:
    """Run the whole road."""
    run_stages(list(ROAD), load_config(config, overrides))


@cli.command("demo", help="Run the whole road on generated reviews, or on the files of a folder.")
@click.option("--raw", default=None, help="Folder with raw files; without it a small corpus is generated.")
@click.option(
    "--category", default=None, help="Category whose files are read, such as Magazine_Subscriptions."
)
@click.option("--workspace", default=None, help="Folder for everything the run writes.")
@click.option("--launcher", default=None, type=click.Choice(["horovod", "torchrun", "single"]))
@config_option("demo.yaml")
@OVERRIDES
def demo_command(
    raw: str | None,
    category: str | None,
    workspace: str | None,
    launcher: str | None,
    config: str,
    overrides: tuple[str, ...],
) -> None:
    """Run the whole road on generated reviews or on raw files."""
    given = {"ingest.raw": raw, "ingest.category": category, "training.launcher": launcher}
    given["workspace"] = workspace or (f".workspace/{category or 'raw'}" if raw else None)
    chosen = [f"{key}={value}" for key, value in given.items() if value]
    run_stages(list(ROAD), load_config(config, [*chosen, *overrides]))


@cli.command("rollback", help="Move the alias back to the version it named before the last promotion.")
@CONFIG
@OVERRIDES
def rollback_command(config: str, overrides: tuple[str, ...]) -> None:
    """Undo the last promotion."""
    from sequoia.promote.rollback import roll_back
    from sequoia.stage import Context

    click.echo(roll_back(Context(load_config(config, overrides))))


@cli.command(
    "doctor", help="Say which parts of the environment work together, and what to do about the others."
)
def doctor_command() -> None:
    """Check the environment; exit code 2 when something needed is missing."""
    from sequoia.doctor import diagnose, render

    checks = diagnose()
    click.echo(render(checks))
    if any(check.needed and not check.ok for check in checks):
        sys.exit(2)


def run_stages(names: list[str], config: Config) -> None:
    """Run stages in one Spark session; the last one's summary goes to standard output."""
    from sequoia.stage import Context
    from sequoia.stages import run_named

    context = Context(config)
    for name in names:
        run_named(name, context)
    if len(names) > 1:
        from sequoia.report.terminal import show_summary

        show_summary(context)


def guarded(command: Callable[[], object]) -> int:
    """Run a command; a user's mistake becomes one sentence on standard error and its exit code."""
    try:
        command()
    except Exception as error:
        mistake = as_user_error(error)
        if mistake is None:
            raise
        print(f"sequoia: {redact(str(mistake))}", file=sys.stderr)
        return mistake.exit_code
    return 0


for _name in ROAD:
    cli.add_command(stage_command(_name))


def main() -> None:
    """Run the console command."""
    _run(cli, "sequoia")


def job(name: str) -> None:
    """Run one command as a script: the entry point of jobs/<name>.py."""
    _run(cli.commands[name], f"jobs/{name}.py")


def _run(command: click.Command, program: str) -> None:
    try:
        code: str | int | None = guarded(lambda: command(prog_name=program))
    except SystemExit as ended:
        code = ended.code
    # To a Databricks task any SystemExit is a failure, code 0 included.
    if code:
        sys.exit(code)
