"""What a policy promises about coming back. Each test is one promise, for each method that the policy names."""

from __future__ import annotations

from backcheck.drill.verdict import Flaw, flaws
from backcheck.policy.model import Method
from tests_restore.conftest import Drilled


def test_it_was_tried(drilled: Drilled) -> None:
    """Every table that the policy wants drilled has a restore; one that nobody could try shows nothing."""
    assert drilled.not_known == ()
    assert drilled.records


def test_it_comes_back(drilled: Drilled) -> None:
    """The table is there and ACTIVE, made of what was asked for and of the time that was asked for."""
    assert [one.detail for one in drilled.records if one.active_minutes is None] == []
    found = {flaw for facts in drilled.facts for flaw in flaws(facts)}
    assert not found & {Flaw.NOT_RESTORED, Flaw.ANOTHER_TABLE, Flaw.ANOTHER_TIME}


def test_it_comes_back_in_time(drilled: Drilled) -> None:
    """From the request to the first verified read, it takes no longer than the RTO."""
    rto = drilled.policy.objectives.rto
    limits = {Method.PITR: rto.pitr_minutes, Method.BACKUP: rto.backup_minutes, Method.DR_COPY: rto.dr_minutes}
    limit = limits[drilled.method]
    for record in drilled.records:
        assert record.verified_minutes is not None, record.detail
        assert limit is None or record.verified_minutes <= limit


def test_everything_comes_back(drilled: Drilled) -> None:
    """Item by item, by digest, it is what its witness says that it was."""
    assert [(one.integrity, one.detail) for one in drilled.records if one.integrity != "equal"] == []
    assert all(facts.compared and facts.compared.restored_items for facts in drilled.facts)


def test_it_ends_at_t(drilled: Drilled) -> None:
    """Where the policy has a canary, the one from before T comes back by PITR, and the one from after T does not."""
    drill = drilled.policy.drill
    wanted = drilled.method is Method.PITR and drill is not None and drill.canary is not None
    found = {one.boundary for one in drilled.records}
    assert found == {"asserted" if wanted else ""}, [one.detail for one in drilled.records]


def test_its_settings_come_back_or_are_listed(drilled: Drilled) -> None:
    """Keys, indexes, billing, class and encryption are the same; for what AWS leaves out there is a command."""
    for facts in drilled.facts:
        assert facts.settings is not None, facts.errors
        assert facts.settings.different == ()
        assert len(facts.settings.runbook) > len(facts.settings.listed)


def test_nothing_is_left_behind(drilled: Drilled) -> None:
    """The restored table is gone."""
    assert [one.detail for one in drilled.records if not one.cleaned_up] == []


def test_the_drill_is_on_record(drilled: Drilled) -> None:
    """Everything together: what an audit's RST-01 counts as a drill that passed."""
    assert [one.detail for one in drilled.records if not one.passed] == []
