"""The quick way past items that are canonical already, which is what nearly all of an export's are.

`is_plain(item)` is True only if `make_canonical` would change nothing in the item; False says nothing. It is compiled
(`_plain.c`) where there is a C compiler; elsewhere it is always False, and every item is walked in Python.
"""

from __future__ import annotations

try:
    from backcheck.manifest._plain import is_plain as is_plain

    COMPILED = True
except ImportError:  # no compiler where this was installed, or another Python than it was compiled for
    COMPILED = False

    def is_plain(item: object, /) -> bool:
        """Nothing is known without the compiled part."""
        return False
