from local.patience import PATIENCE
from tests.local.cloud import Cloud, allow

_SLEEPS = """
    import time
    def handle(event, context):
        left_s = context.get_remaining_time_in_millis() / 1000
        time.sleep(event["seconds"])
        return left_s
"""


def test_time_limit_of_a_function_is_longer_in_the_emulator_than_on_aws(cloud: Cloud) -> None:
    function = cloud.function(_SLEEPS, Timeout=1)

    left_s = cloud.invoke(function, {"seconds": 1.5})
    assert 1 < left_s <= PATIENCE
    settings = cloud("lambda", "get_function_configuration", FunctionName=function)
    assert settings["Timeout"] == 1


def test_function_ends_at_its_time_limit(impatient: Cloud) -> None:
    answer = impatient.invoke(impatient.function(_SLEEPS, Timeout=1), {"seconds": 900})

    assert answer == {"errorMessage": "Task timed out after 1.00 seconds", "errorType": "Sandbox.Timedout"}


def test_time_limit_of_a_task_is_longer_in_the_emulator_than_on_aws(cloud: Cloud) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": cloud.function(_SLEEPS), "Payload": {"seconds": 1.5}},
        "TimeoutSeconds": 1,
        "End": True,
    }
    ended = cloud.run(cloud.machine({"Task": task}, allow("lambda:InvokeFunction")))

    assert ended["status"] == "SUCCEEDED"


def test_time_limit_of_an_execution_is_longer_in_the_emulator_than_on_aws(cloud: Cloud) -> None:
    wait = {"Type": "Wait", "Seconds": 2, "End": True}

    assert cloud.run(cloud.machine({"Wait": wait}, TimeoutSeconds=1))["status"] == "SUCCEEDED"


def test_socket_timeout_in_a_function_is_longer_in_the_emulator_than_on_aws(cloud: Cloud) -> None:
    source = """
        import socket
        def handle(event, context):
            with socket.socket() as connection:
                connection.settimeout(event)
                return connection.gettimeout()
    """
    function = cloud.function(source)

    assert cloud.invoke(function, 1.5) == 1.5 * PATIENCE
    assert cloud.invoke(function, None) is None
