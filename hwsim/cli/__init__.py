"""The command line: one file per verb, heavy imports inside the verb."""

from __future__ import annotations

import sys

import typer

from hwsim.cli.check import check
from hwsim.cli.diagnose import diagnose
from hwsim.cli.export import export
from hwsim.cli.quantize import quantize
from hwsim.cli.run import run
from hwsim.cli.scalesim import scalesim
from hwsim.cli.show import show
from hwsim.cli.sweep import sweep
from hwsim.cli.trace import trace
from hwsim.cli.vectors import vectors
from hwsim.errors import HwsimError

app = typer.Typer(
    help="Bit-accurate simulator of neural-network accelerators: exact integers, cycles, energy and traffic.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verb in (run, quantize, diagnose, sweep, show, check, trace, vectors, export, scalesim):
    app.command()(verb)


@app.callback(invoke_without_command=True)
def version(
    show_version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True),
) -> None:
    """Bit-accurate simulator of neural-network accelerators: exact integers, cycles, energy and traffic."""
    if show_version:
        from hwsim import __version__

        typer.echo(f"hwsim {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; what the user can mend is one paragraph on stderr and exit code 2."""
    try:
        app()
    except HwsimError as error:
        typer.echo(f"hwsim: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("hwsim: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
