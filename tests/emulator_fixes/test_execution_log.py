import json

from tests.local.cloud import Cloud, allow, unique

DELIVER = allow("logs:CreateLogDelivery")
STATES = {"Add": {"Type": "Pass", "Output": {"sum": "{% $states.input.a + 1 %}"}, "End": True}}


def logging(cloud: Cloud, level: str, *, data: bool) -> tuple[str, dict[str, object]]:
    group = f"/aws/vendedlogs/states/{unique('log')}"
    cloud("logs", "create_log_group", logGroupName=group)
    arn = cloud.arn("logs", f"log-group:{group}:*")
    destination = {"cloudWatchLogsLogGroup": {"logGroupArn": arn}}
    return group, {"level": level, "includeExecutionData": data, "destinations": [destination]}


def test_log_level_all_logs_every_step_with_its_data(cloud: Cloud) -> None:
    group, config = logging(cloud, "ALL", data=True)
    execution = cloud.run(cloud.machine(STATES, DELIVER, logging=config), {"a": 1})["executionArn"]

    lines = [json.loads(line) for line in cloud.log(group, count=4)]
    kinds = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    assert [line["type"] for line in lines] == kinds
    assert lines[2]["details"] == {"name": "Add", "output": '{"sum": 2}'}
    assert {line["execution_arn"] for line in lines} == {execution}


def test_express_execution_is_logged(cloud: Cloud) -> None:
    group, config = logging(cloud, "ALL", data=False)
    machine = cloud.machine(STATES, DELIVER, express=True, logging=config)
    cloud("stepfunctions", "start_sync_execution", stateMachineArn=machine, input='{"a": 1}')

    lines = [json.loads(line) for line in cloud.log(group, count=4)]
    assert lines[-1]["type"] == "ExecutionSucceeded"
    assert not any({"input", "output"} & set(line["details"]) for line in lines)


def test_log_level_error_logs_only_failures(cloud: Cloud) -> None:
    group, config = logging(cloud, "ERROR", data=True)
    cloud.run(cloud.machine({"Fail": {"Type": "Fail", "Error": "No"}}, DELIVER, logging=config))

    assert [json.loads(line)["type"] for line in cloud.log(group)] == ["ExecutionFailed"]
