"""JSONata expressions return the same results as in Step Functions.

Emulator: The JSONata engine of the emulator supports $eval. It calculates with floats, so 3 becomes 3.0. A Choice state
    accepts a condition of any type. If no rule of a Choice state matches, the emulator ignores the `Output` of the
    state.
AWS: Step Functions returns whole numbers, refuses $eval, and requires conditions that are true or false. If no rule
    matches, Step Functions applies the `Output` of the Choice state.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
Upstream: report as a bug.
"""

from __future__ import annotations

from typing import Any

from emulator_fixes import internal, replaces

_states: Any = internal("services.stepfunctions")


@replaces("services.stepfunctions._validate_definition_jsonata", "a5ec092b2c8d")
def validate(original: Any, definition: Any) -> Any:
    """Refuse a state machine definition that calls $eval."""
    if isinstance(definition, str) and "$eval(" in definition:
        return "INVALID_JSONATA_EXPRESSION: $eval is not supported"
    return original(definition)


@replaces("services.stepfunctions._evaluate_jsonata", "d970811e01da")
def evaluate(original: Any, *arguments: Any, **named: Any) -> Any:
    """Evaluate an expression, and return whole numbers without a decimal part."""
    return _whole(original(*arguments, **named))


@replaces("services.stepfunctions._evaluate_jsonata_choice_rule", "1e87225cbcf3")
def evaluate_rule(original: Any, rule: Any, data: Any, context: Any) -> bool:
    """Evaluate the condition of a Choice rule. A result that is not a boolean fails the execution."""
    del original
    value = _states._apply_jsonata_template(rule.get("Condition"), data, context)
    if not isinstance(value, bool):
        raise _states._ExecutionError(
            "States.QueryEvaluationError",
            f"The JSONata expression of the field 'Condition' returned {value!r}, which is not a boolean",
        )
    return value


@replaces("services.stepfunctions._execute_choice", "468955fcd4a4")
def execute_choice(original: Any, state: Any, data: Any, context: Any = None) -> tuple[Any, str]:
    """Choose the next state. If no rule matches, apply the state's own Output."""
    output, following = original(state, data, context)
    jsonata = _states._state_query_language(state, context) == "JSONata"
    if jsonata and "Output" in state and following == state.get("Default") and output is data:
        output = _states._apply_jsonata_output(state, data, context, default=data)
    return output, following


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_whole(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
