"""Every verdict of a plan against every history that its evidence allows: never wrong, and not vague without need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import pytest
from tests.reconcile.histories import BAD, BAD_FROM, BAD_UNTIL, EARLY, NOW, History, State, at, every

from backcheck.reconcile.classify import Change, Incident, classify

Exports = tuple[tuple[int, int], ...]
Evidence = tuple[State, State, tuple[Change, ...]]

BAD_WINDOW: Exports = ((BAD_FROM, BAD_UNTIL),)
AND_SINCE: Exports = ((BAD_FROM, BAD_UNTIL), (BAD_UNTIL, NOW))
IN_PIECES: Exports = ((BAD_FROM, BAD_FROM + 1), (BAD_FROM + 1, BAD_UNTIL))
BEGINS_EARLY: Exports = ((EARLY, BAD_UNTIL),)
BEGINS_EARLY_AND_SINCE: Exports = ((EARLY, BAD_UNTIL), (BAD_UNTIL, NOW))
ENDS_LATE: Exports = ((BAD_FROM, NOW),)
ENDS_A_LITTLE_LATE: Exports = ((BAD_FROM, BAD_UNTIL + 1), (BAD_UNTIL + 1, NOW))


def blind(history: History, exports: Exports) -> bool:
    """What the runbook says that a plan cannot see."""
    unseen = exports[-1][1] != NOW and history.written_to_just_what_the_deployment_left()
    return history.made_again_and_deleted_again() or unseen


def by_evidence(exports: Exports, restored_at: int = BAD_FROM) -> dict[Evidence, list[History]]:
    found: dict[Evidence, list[History]] = defaultdict(list)
    for history in every():
        if not blind(history, exports):
            changes = tuple(one for start, end in exports if (one := history.record(start, end)))
            found[history.before(restored_at), history.before(NOW), changes].append(history)
    return found


def verdict(evidence: Evidence, exports: Exports, *, accused: bool = True, restored_at: int = BAD_FROM) -> str:
    restored, live, changes = evidence
    incident = Incident(
        bad=BAD, restored_at=at(restored_at), covered=True, begins_early=any(start < BAD_FROM for start, _ in exports)
    )
    judged = classify(restored, live, changes, incident, accused=accused)
    return "nothing" if judged is None else str(judged.kind)


ALL = [BAD_WINDOW, AND_SINCE, IN_PIECES, BEGINS_EARLY, BEGINS_EARLY_AND_SINCE, ENDS_LATE, ENDS_A_LITTLE_LATE]


@pytest.mark.parametrize("exports", ALL)
@pytest.mark.parametrize("accused", [True, False])
def test_a_verdict_is_true_in_every_history_that_the_evidence_allows(exports: Exports, accused: bool) -> None:
    told = 0
    for evidence, histories in by_evidence(exports).items():
        said = verdict(evidence, exports, accused=accused)
        if said != "undetermined":
            told += 1
            truths = {history.truth(accused=accused) for history in histories}
            assert truths == {said}, (evidence, histories[0])
    assert told > 10


@pytest.mark.parametrize("exports", [BAD_WINDOW, AND_SINCE])
def test_as_the_runbook_exports_it_every_verdict_is_the_truth(exports: Exports) -> None:
    """No history is left to a person that the evidence decides."""
    for evidence, histories in by_evidence(exports).items():
        assert {verdict(evidence, exports)} == {history.truth() for history in histories}


@pytest.mark.parametrize("exports", [BAD_WINDOW, AND_SINCE, IN_PIECES, ENDS_LATE])
def test_a_table_restored_to_before_the_bad_window_restores_nothing_wrong(exports: Exports) -> None:
    """What was written between is not the deployment's; what is written back is what was there when it began."""
    restores = 0
    for evidence, histories in by_evidence(exports, EARLY).items():
        said = verdict(evidence, exports, restored_at=EARLY)
        truths = {history.truth() for history in histories}
        if said == "restore":
            restores += 1
            assert truths == {"restore"}
            assert {history.before(BAD_FROM) for history in histories} == {evidence[0]}
        elif said in ("keep", "deleted"):
            assert not truths & {"restore", "conflict"}, (evidence, histories[0])
    assert restores > 0


@pytest.mark.parametrize("exports", ALL)
def test_a_legitimate_deletion_is_never_undone_and_nothing_newer_overwritten(exports: Exports) -> None:
    """Even in the histories that the runbook calls blind spots, but for the two that it names."""
    for history in every():
        changes = tuple(one for start, end in exports if (one := history.record(start, end)))
        said = verdict((history.before(BAD_FROM), history.before(NOW), changes), exports)
        if said == "restore" and history.written(BAD_UNTIL, NOW):
            assert blind(history, exports), history


def _lost(write: Callable[[History], bool]) -> int:
    return sum(write(one) for one in every())


def test_the_blind_spots_exist() -> None:
    """If they did not, the runbook would warn of nothing, and this file would leave nothing out."""
    assert _lost(History.made_again_and_deleted_again) > 100
    assert _lost(History.written_to_just_what_the_deployment_left) > 100
