"""JSONata's results as Step Functions gives them: 3 is 3, not 3.0; a Choice's condition is a boolean, its Output holds.

The emulator's JSONata engine calculates in floats, its Choice takes anything for a condition, and ignores the Output of
the state itself where no rule matches; and it knows $eval, which Step Functions has not.
"""

from __future__ import annotations

from typing import Any

from local.corrections import internal, replaces

_states: Any = internal("services.stepfunctions")


@replaces("services.stepfunctions._validate_definition_jsonata", "a5ec092b2c8d")
def validate(original: Any, definition: Any) -> Any:
    """Refuse a definition that evaluates text."""
    if isinstance(definition, str) and "$eval(" in definition:
        return "INVALID_JSONATA_EXPRESSION: $eval is not supported"
    return original(definition)


@replaces("services.stepfunctions._evaluate_jsonata", "d970811e01da")
def evaluate(original: Any, *arguments: Any, **named: Any) -> Any:
    """Evaluate, with whole numbers as JSON writes them."""
    return _whole(original(*arguments, **named))


@replaces("services.stepfunctions._evaluate_jsonata_choice_rule", "1e87225cbcf3")
def evaluate_rule(original: Any, rule: Any, data: Any, context: Any) -> bool:
    """Evaluate a condition, which has to be a boolean."""
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
    """Choose; the state's own Output holds for Default."""
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
