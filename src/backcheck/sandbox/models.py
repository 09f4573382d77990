"""botocore's models of AWS's services, each read once in a process: to find and parse them takes longer than a call."""

from __future__ import annotations

from functools import cache

import botocore.session
from botocore.loaders import Loader, create_loader


@cache
def _loader() -> Loader:
    return create_loader()


def botocore_session() -> botocore.session.Session:
    """A session whose clients share the models with those of every other such session."""
    session = botocore.session.Session()
    session.register_component("data_loader", _loader())
    return session
