"""Controls of a user's own: from files that are named, and from installed packages (group `backcheck.controls`).

They are the same `Control` values as the catalogue's, and are judged, waived and reported like those.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from backcheck.controls import CONTROLS
from backcheck.controls.control import AnyControl, Control
from backcheck.controls.pol_11_waivers import OWN_ID
from backcheck.errors import UsageError

GROUP = "backcheck.controls"


def own_controls(files: Iterable[Path] = (), installed: Iterable[EntryPoint] | None = None) -> tuple[AnyControl, ...]:
    """The controls in the files, then those that installed packages offer. Runs their code.

    Raises UsageError for a file that cannot be imported or has no control, and for an id that is odd or taken.
    """
    offered = entry_points(group=GROUP) if installed is None else installed
    found = [one for file in files for one in _in_file(file)] + [one for point in offered for one in _offered(point)]
    taken = {one.id for one in CONTROLS}
    for one in found:
        if not OWN_ID.fullmatch(one.id):
            raise UsageError(
                f"the control id {one.id!r} is odd", hint="write two to eight capitals and a number: ACME-01"
            )
        if one.id in taken:
            raise UsageError(f"there are two controls {one.id}", hint="give yours a prefix of its own")
        taken.add(one.id)
    return tuple(found)


def _in_file(file: Path) -> tuple[AnyControl, ...]:
    spec = importlib.util.spec_from_file_location(f"backcheck_own_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise UsageError(
            "is not a Python file", where=str(file), hint="--controls takes a .py file with controls in it"
        )
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's code may raise anything; it is named, and nothing is audited
        raise UsageError(f"cannot be imported: {type(error).__name__}: {error}", where=str(file)) from error
    found = tuple(_in_module(module))
    if not found:
        raise UsageError("has no control", where=str(file), hint="make one with backcheck.controls.control.control")
    return found


def _in_module(module: ModuleType) -> Iterator[AnyControl]:
    """The module's controls, in the order of the file; what it imports from the catalogue is not its own."""
    for value in vars(module).values():
        if isinstance(value, Control) and not any(value is one for one in CONTROLS):
            yield value


def _offered(point: EntryPoint) -> tuple[AnyControl, ...]:
    loaded = point.load()
    offered = tuple(loaded) if isinstance(loaded, (tuple, list)) else (loaded,)
    if odd := [one for one in offered if not isinstance(one, Control)]:
        raise UsageError(f"the entry point {point.name} offers a {type(odd[0]).__name__}, not a control")
    return offered
