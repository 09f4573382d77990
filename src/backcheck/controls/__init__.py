"""One small file a control; CONTROLS lists them."""

from backcheck.controls.control import AnyControl
from backcheck.controls.pit_01_pitr_on import pitr_is_on
from backcheck.controls.pln_01_plan_exists import one_plan_has_the_name
from backcheck.controls.pln_04_retention import retention_is_the_policys
from backcheck.controls.pol_01_schema import policy_is_valid
from backcheck.controls.pol_02_cold_storage import cold_storage_is_possible
from backcheck.controls.pol_03_windows import windows_are_an_hour
from backcheck.controls.pol_04_cadence import schedule_means_its_cadence
from backcheck.controls.pol_05_dr_elsewhere import dr_is_elsewhere
from backcheck.controls.pol_06_overlaps import overlaps_keep_the_copies
from backcheck.controls.pol_07_locks import retention_fits_the_locks
from backcheck.controls.pol_08_references import references_resolve
from backcheck.controls.pol_09_objectives import objectives_are_feasible
from backcheck.controls.pol_10_validation import validation_is_after_the_windows
from backcheck.controls.pol_11_waivers import waiver_is_narrow_and_short
from backcheck.controls.pol_12_review import policy_is_owned_and_traced
from backcheck.controls.rpo_01_worst_case import worst_case_is_within_the_rpo

CONTROLS: tuple[AnyControl, ...] = (
    policy_is_valid,
    cold_storage_is_possible,
    windows_are_an_hour,
    schedule_means_its_cadence,
    dr_is_elsewhere,
    overlaps_keep_the_copies,
    retention_fits_the_locks,
    references_resolve,
    objectives_are_feasible,
    validation_is_after_the_windows,
    waiver_is_narrow_and_short,
    policy_is_owned_and_traced,
    pitr_is_on,
    one_plan_has_the_name,
    retention_is_the_policys,
    worst_case_is_within_the_rpo,
)
"""Every control, in the catalogue's order."""
