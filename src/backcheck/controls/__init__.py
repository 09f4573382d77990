"""One small file a control; CONTROLS lists them."""

from backcheck.controls.control import AnyControl
from backcheck.controls.pit_01_pitr_on import pitr_is_on
from backcheck.controls.pln_01_plan_exists import one_plan_has_the_name
from backcheck.controls.pln_04_retention import retention_is_the_policys

CONTROLS: tuple[AnyControl, ...] = (
    pitr_is_on,
    one_plan_has_the_name,
    retention_is_the_policys,
)
"""Every control, in the catalogue's order."""
