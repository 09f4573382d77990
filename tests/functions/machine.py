"""Runs the state machine of templates/restore-testing.yaml: what Amazon States Language says of the states that it has.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.session import get_session
from botocore.validate import ParamValidator

Step = Callable[[dict[str, Any]], Any]

_SESSION = get_session()


def run(definition: Mapping[str, Any], given: dict[str, Any], call: Step, *, limit: int = 200) -> list[str]:
    """The names of the states that were entered. Raises what the last state raised, if nothing catches it."""
    state, data = definition["StartAt"], given
    entered: list[str] = []
    while True:
        assert len(entered) < limit, f"no end after {limit} states: {entered[-6:]}"
        entered.append(state)
        one = definition["States"][state]
        if one["Type"] == "Wait":
            call({"waited": one["Seconds"]})
        elif one["Type"] == "Choice":
            state = _chosen(one, data)
            continue
        else:
            try:
                data = call(_parameters(one["Parameters"], data))
            except Exception as error:  # a Catch of States.ALL means any; what none catches is raised
                caught = next((c for c in one.get("Catch", ()) if c["ErrorEquals"] == ["States.ALL"]), None)
                if caught is None:
                    raise
                cause = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
                data = {
                    **data,
                    caught["ResultPath"].removeprefix("$."): {"Error": type(error).__name__, "Cause": cause},
                }
                state = caught["Next"]
                continue
        if one.get("End"):
            return entered
        state = one["Next"]


def _chosen(one: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    for choice in one["Choices"]:
        if data[choice["Variable"].removeprefix("$.")] == choice["StringEquals"]:
            return str(choice["Next"])
    return str(one["Default"])


def _parameters(parameters: Mapping[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    return {
        name.removesuffix(".$"): json.loads(json.dumps(data)) if name.endswith(".$") else value
        for name, value in parameters.items()
    }


class CheckedClient:
    """A client whose calls are validated by botocore's model and answered by functions of the test."""

    def __init__(self, service: str, answers: Mapping[str, Callable[..., Any]]) -> None:
        self._model = _SESSION.get_service_model(service)
        self._answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = "".join(word.capitalize() for word in name.split("_"))
        shape = self._model.operation_model(operation).input_shape

        def call(**arguments: Any) -> Any:
            report = ParamValidator().validate(arguments, shape)
            assert not report.has_errors(), f"{operation}: {report.generate_report()}"
            self.calls.append((operation, arguments))
            return self._answers[name](**arguments)

        return call
