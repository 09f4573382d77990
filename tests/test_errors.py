"""What a user reads when something goes wrong."""

from __future__ import annotations

import pytest

from backcheck.errors import Error, PolicyError, Problem, UsageError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Error("it broke"), "it broke"),
        (Error("it broke", where="a.yaml:3:1:/name"), "a.yaml:3:1:/name: it broke"),
        (Error("it broke", hint="mend it"), "it broke\n  try: mend it"),
    ],
)
def test_diagnostics_say_what_where_and_what_to_try(error: Error, text: str) -> None:
    assert error.diagnostics() == text


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem(message="too short"), "p.yaml: too short"),
        (Problem(message="too short", line=4, column=2), "p.yaml:4:2: too short"),
        (Problem(message="too short", path="/name", line=4, column=2), "p.yaml:4:2: /name: too short"),
        (Problem(message="too short", path="/name", hint="write more"), "p.yaml: /name: too short\n  try: write more"),
    ],
)
def test_a_problem_points_at_its_place(problem: Problem, text: str) -> None:
    assert problem.at("p.yaml") == text


def test_a_policy_error_shows_every_problem() -> None:
    error = PolicyError("p.yaml", (Problem(message="one"), Problem(message="two", line=2, column=1)))
    assert error.diagnostics() == "p.yaml: one\np.yaml:2:1: two"


def test_exit_codes_of_errors() -> None:
    assert (Error("x").exit_code, UsageError("x").exit_code, PolicyError("f", (Problem(message="x"),)).exit_code) == (
        2,
        4,
        4,
    )
