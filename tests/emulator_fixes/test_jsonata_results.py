import json

from tests.local.cloud import Cloud


def output(cloud: Cloud, expression: str, given: object = None) -> object:
    ended = cloud.run(cloud.machine({"Do": {"Type": "Pass", "Output": expression, "End": True}}), given)
    return json.loads(ended["output"]) if "output" in ended else ended["error"]


def test_whole_numbers_in_jsonata_results_have_no_decimal_part(cloud: Cloud) -> None:
    ended = cloud.run(cloud.machine({"Do": {"Type": "Pass", "Output": "{% [$number('3') * 2, 7 / 2] %}", "End": True}}))

    assert ended["output"] == "[6, 3.5]"


def test_condition_without_a_boolean_result_is_an_error(cloud: Cloud) -> None:
    choice = {"Type": "Choice", "Choices": [{"Condition": "{% 1 %}", "Next": "End"}], "Default": "End"}
    ended = cloud.run(cloud.machine({"Choose": choice, "End": {"Type": "Succeed"}}))

    assert ended["error"] == "States.QueryEvaluationError"


def test_choice_state_applies_its_output_if_no_rule_matches(cloud: Cloud) -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% false %}", "Next": "End"}],
        "Default": "End",
        "Output": "default",
    }
    ended = cloud.run(cloud.machine({"Choose": choice, "End": {"Type": "Succeed"}}))

    assert ended["output"] == '"default"'


def test_matching_choice_rule_applies_its_own_assign_and_output(cloud: Cloud) -> None:
    rule = {"Condition": "{% true %}", "Assign": {"x": 2}, "Output": "{% 'rule' %}", "Next": "End"}
    choice = {"Type": "Choice", "Choices": [rule], "Default": "End", "Output": "default"}
    end = {"Type": "Pass", "Output": "{% $states.input & $string($x) %}", "End": True}
    ended = cloud.run(cloud.machine({"Choose": choice, "End": end}))

    assert ended["output"] == '"rule2"'


def test_expression_with_a_missing_field_is_an_error(cloud: Cloud) -> None:
    assert output(cloud, "{% $states.input.missing %}", {"a": 1}) == "States.QueryEvaluationError"
