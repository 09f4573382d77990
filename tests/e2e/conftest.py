"""One pair of emulators for most tests of this folder, and each of our stacks once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e import packages
from tests.e2e.packages import Packages
from tests.e2e.stacks import ORPHAN, Stack, create, packaged
from tests.e2e.stage import Stage, stage
from tests.templates.deploying import ORDER


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """The functions' packages."""
    return packages.build(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="session")
def played(built: Packages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Both emulators, without our stacks in ministack."""
    with stage(tmp_path_factory.mktemp("stage"), built) as made:
        yield made


@pytest.fixture(scope="session")
def stacks(played: Stage) -> dict[str, Stack]:
    """All five stacks in ministack, in the order of docs/deploy.md."""
    return {name: create(played.ministack, name, packaged(name)) for name, _, _ in ORDER}


@pytest.fixture(scope="session")
def orphan(played: Stage) -> Stack:
    """primary.yaml once more, of a table that is not there."""
    return create(played.ministack, "primary", packaged("primary"), stack="orphan-primary", Prefix=ORPHAN)
