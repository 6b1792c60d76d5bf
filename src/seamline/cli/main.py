"""The `seamline` command: one table of subcommands, and errors as a message with a status.

Nothing heavy is imported here or at the top of a command's file, so that `--help` is instant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from seamline import __version__
from seamline.cli.audit import audit
from seamline.cli.doctor import doctor
from seamline.cli.evaluate import evaluate
from seamline.cli.export import export
from seamline.cli.failures import exit_status
from seamline.cli.forge import forge
from seamline.cli.label import label
from seamline.cli.models import models
from seamline.cli.prepare import prepare
from seamline.cli.scan import scan
from seamline.cli.serve import serve
from seamline.cli.train import train
from seamline.cli.watch import watch
from seamline.errors import SeamlineError

COMMANDS: dict[str, Callable[..., None]] = {
    "scan": scan,
    "watch": watch,
    "evaluate": evaluate,
    "models": models,
    "serve": serve,
    "doctor": doctor,
    "forge": forge,
    "label": label,
    "audit": audit,
    "prepare": prepare,
    "train": train,
    "export": export,
}


class _Commands(TyperGroup):
    """Turns the errors of the world into a line on stderr; bugs keep their traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SeamlineError as error:
            print(f"seamline: {error}", file=sys.stderr)
            raise typer.Exit(exit_status(error)) from None
        except BrokenPipeError:  # `seamline scan … | head`: typer ends quietly
            raise
        except OSError as error:
            print(f"seamline: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"seamline {__version__}")
        raise typer.Exit()


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="And stop.")
    ] = False,
) -> None:
    """Tells whether the faces and the voice in a video are genuine: who, when, where, how sure."""
