"""One small file a control; CONTROLS lists them."""

from backcheck.controls.alr_01_failures_heard import failures_are_heard
from backcheck.controls.alr_02_validator_runs import check_runs
from backcheck.controls.alr_03_check_failure_heard import failed_check_is_heard
from backcheck.controls.control import AnyControl
from backcheck.controls.dr_01_copy_action import rule_copies_where_it_should
from backcheck.controls.dr_02_copy_retention import copies_are_kept_as_promised
from backcheck.controls.dr_03_dr_points import every_backup_is_copied
from backcheck.controls.dr_04_copy_jobs import copy_jobs_are_healthy
from backcheck.controls.dr_05_dr_restores import dr_region_can_restore
from backcheck.controls.drf_01_no_drift import account_is_as_written
from backcheck.controls.drf_02_document import document_is_the_policys
from backcheck.controls.fea_01_jobs_can_succeed import job_can_succeed
from backcheck.controls.fea_02_nothing_ignored import nothing_is_ignored
from backcheck.controls.iam_01_backup_role import backup_role_works
from backcheck.controls.iam_02_restore_role import restore_role_works
from backcheck.controls.iam_03_least_privilege import role_is_narrow
from backcheck.controls.iam_04_destroyers import few_may_destroy
from backcheck.controls.job_01_no_bad_jobs import jobs_succeed
from backcheck.controls.job_02_no_stuck_jobs import no_job_hangs
from backcheck.controls.pit_01_pitr_on import pitr_is_on
from backcheck.controls.pit_02_pitr_window import window_is_deep_enough
from backcheck.controls.pit_03_pitr_current import recovery_is_current
from backcheck.controls.pit_04_pitr_deep import window_is_filled
from backcheck.controls.pit_05_table_stays import table_stays
from backcheck.controls.pln_01_plan_exists import one_plan_has_the_name
from backcheck.controls.pln_02_rule_per_tier import each_tier_has_its_rule
from backcheck.controls.pln_03_schedule import rules_run_when_they_should
from backcheck.controls.pln_04_retention import retention_is_the_policys
from backcheck.controls.pln_05_cold_storage import cold_storage_is_the_policys
from backcheck.controls.pln_06_overlaps import overlaps_keep_copies
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
from backcheck.controls.rp_01_fresh import latest_backup_is_there
from backcheck.controls.rp_02_no_gaps import no_backup_is_missing
from backcheck.controls.rp_03_retention_set import points_are_kept_as_promised
from backcheck.controls.rp_04_encrypted import points_are_encrypted
from backcheck.controls.rp_05_sound_status import no_point_is_bad
from backcheck.controls.rp_06_lifecycle import lifecycle_is_carried_out
from backcheck.controls.rp_07_size import size_is_plausible
from backcheck.controls.rpo_01_worst_case import worst_case_is_within_the_rpo
from backcheck.controls.rpo_02_measured import rpo_was_kept
from backcheck.controls.rpo_03_calendar import calendar_is_awss
from backcheck.controls.rst_01_recent import restores_were_drilled
from backcheck.controls.rst_02_rto import restore_is_in_time
from backcheck.controls.rst_03_integrity import what_comes_back_is_equal
from backcheck.controls.rst_04_settings import settings_come_back
from backcheck.controls.rst_05_clean import drills_are_cleaned_up
from backcheck.controls.sel_01_selected import table_is_selected
from backcheck.controls.sel_02_opt_in import dynamodb_is_opted_in
from backcheck.controls.sel_03_nothing_unprotected import table_is_protected
from backcheck.controls.sel_04_no_exclusion import table_is_not_excluded
from backcheck.controls.vlt_01_vault_exists import vault_is_available
from backcheck.controls.vlt_02_encryption import key_is_right_and_works
from backcheck.controls.vlt_03_lock_bounds import lock_fits
from backcheck.controls.vlt_04_access_policy import policy_keeps_points
from backcheck.controls.vlt_05_lock_mode import lock_mode_is_the_policys
from backcheck.controls.vlt_06_vault_stays import vault_and_key_stay

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
    window_is_deep_enough,
    recovery_is_current,
    window_is_filled,
    table_stays,
    one_plan_has_the_name,
    each_tier_has_its_rule,
    rules_run_when_they_should,
    retention_is_the_policys,
    cold_storage_is_the_policys,
    overlaps_keep_copies,
    table_is_selected,
    dynamodb_is_opted_in,
    table_is_protected,
    table_is_not_excluded,
    vault_is_available,
    key_is_right_and_works,
    lock_fits,
    policy_keeps_points,
    lock_mode_is_the_policys,
    vault_and_key_stay,
    rule_copies_where_it_should,
    copies_are_kept_as_promised,
    every_backup_is_copied,
    copy_jobs_are_healthy,
    dr_region_can_restore,
    latest_backup_is_there,
    no_backup_is_missing,
    points_are_kept_as_promised,
    points_are_encrypted,
    no_point_is_bad,
    lifecycle_is_carried_out,
    size_is_plausible,
    jobs_succeed,
    no_job_hangs,
    restores_were_drilled,
    restore_is_in_time,
    what_comes_back_is_equal,
    settings_come_back,
    drills_are_cleaned_up,
    backup_role_works,
    restore_role_works,
    role_is_narrow,
    few_may_destroy,
    failures_are_heard,
    check_runs,
    failed_check_is_heard,
    account_is_as_written,
    document_is_the_policys,
    worst_case_is_within_the_rpo,
    rpo_was_kept,
    calendar_is_awss,
    job_can_succeed,
    nothing_is_ignored,
)
"""Every control, in the catalogue's order."""
