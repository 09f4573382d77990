"""The `backcheck` command: finds the subcommand, maps every outcome to an exit code. Thin; commands/ holds the rest."""

from __future__ import annotations

import errno
import gc
import sys
import traceback
from collections.abc import Sequence

import click

from backcheck import __version__
from backcheck.commands.lazy import Lazy, LazyGroup
from backcheck.errors import Error

COMMANDS: dict[str, Lazy] = {
    "check": Lazy("backcheck.commands.check:command", "Audit an account against a policy."),
    "controls": Lazy("backcheck.commands.controls:command", "List the controls, or explain those that are named."),
    "diff": Lazy(
        "backcheck.commands.diff:command",
        "Compare two findings.json: 0 nothing got worse, 1 a new FAIL or one for more, 2 a new UNKNOWN.",
    ),
    "drill": Lazy(
        "backcheck.commands.drill:command",
        "Restore what the policy wants drilled, prove that it is the same, and clean up.",
    ),
    "gate": Lazy("backcheck.commands.gate:command", "Judge templates against a policy, before they are deployed."),
    "manifest": Lazy("backcheck.commands.manifest:command", "Digest a table's content, and prove two tables equal."),
    "permissions": Lazy(
        "backcheck.commands.permissions:command", "Print the least IAM policy that an audit of a policy needs."
    ),
    "policy": Lazy("backcheck.commands.policy:command", "Check a policy, and write it down for people and for AWS."),
    "reap": Lazy("backcheck.commands.reap:command", "Remove the tables that dead drills left behind."),
    "reconcile": Lazy(
        "backcheck.commands.reconcile:command",
        "Bring lost items back after an incident, and touch nothing that came since.",
    ),
    "recover": Lazy(
        "backcheck.commands.recover:command",
        "Show the ways back of a TABLE, by name or ARN: the newest state first, how long it took in a drill, and how.",
    ),
    "sandbox": Lazy("backcheck.commands.sandbox:command", "Serve a simulated AWS account on 127.0.0.1 until Ctrl-C."),
    "snapshot": Lazy("backcheck.commands.snapshot:command", "Read an account and write its inventory."),
}
"""By name; imported only when called: `policy lint` must not wait for boto3, nor `--help` for anything."""

EXIT_CODES = """\b
Exit codes:
  0  compliant
  1  at least one FAIL
  2  could not determine: an UNKNOWN, nothing in scope, no PASS at all, or an error of our own
  4  wrong usage, or a policy that does not load
"""

UNKNOWN_OUTCOME = 2
WRONG_USAGE = 4
INTERRUPTED = 130

FILE_ERRORS = frozenset(
    {
        errno.EACCES,
        errno.EEXIST,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""What is wrong with a path that a user gave; a full disk is not among them."""

EXTRAS = {
    "blake3": "manifest",
    "cfnlint": "gate",
    "isal": "manifest",
    "moto": "sandbox",
    "numpy": "manifest",
    "pyspark": "spark",
    "pytest": "test",
    "pytest_html": "test",
    "samtranslator": "sandbox",
}
"""What an installation may lack, and the extra that brings it."""


@click.group(
    cls=LazyGroup, targets=COMMANDS, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="backcheck")
@click.option("--verbose", is_flag=True, help="Show tracebacks of errors. May stand anywhere on the line.")
def backcheck(verbose: bool) -> None:
    """Prove that AWS backups are what the policy says, and that they come back."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Nothing but `--verbose` shows a traceback."""
    verbose = "--verbose" in arguments
    try:
        result = backcheck.main(
            [a for a in arguments if a != "--verbose"], prog_name="backcheck", standalone_mode=False
        )
    except Error as error:
        _tell(error.diagnostics(), verbose)
        return error.exit_code
    except click.UsageError as error:
        error.show()
        return WRONG_USAGE
    except click.ClickException as error:
        error.show()
        return WRONG_USAGE
    except (KeyboardInterrupt, click.Abort):
        _tell("interrupted", verbose)
        return INTERRUPTED
    except OSError as error:
        _tell(_explain_file(error), verbose)
        return WRONG_USAGE if error.errno in FILE_ERRORS and error.filename else UNKNOWN_OUTCOME
    except Exception as error:  # noqa: BLE001  the last stop before the terminal: an error of ours is exit 2, not 1
        _tell(_explain(error), verbose)
        return UNKNOWN_OUTCOME
    return result if isinstance(result, int) else 0


def _explain_file(error: OSError) -> str:
    if error.errno not in FILE_ERRORS or not error.filename:
        return _explain(error)
    return f"{error.filename}: cannot be read or written: {error.strerror}\n  try: correct the path, or its permissions"


def _explain(error: Exception) -> str:
    extra = EXTRAS.get((error.name or "").partition(".")[0]) if isinstance(error, ModuleNotFoundError) else None
    if extra and isinstance(error, ModuleNotFoundError):
        return f"this needs the package {error.name}\n  try: pip install 'backcheck[{extra}]'"
    return f"internal error: {type(error).__name__}: {error}\n  try: --verbose for the traceback"


def _tell(text: str, verbose: bool) -> None:
    if verbose:
        traceback.print_exc()
    click.echo(f"backcheck: {text}", err=True)


def main() -> None:
    """The console script."""
    code = run(sys.argv[1:])
    gc.freeze()  # or the interpreter searches everything that was imported for garbage: a second after a gate
    sys.exit(code)
