import time

from tests.local.cloud import Cloud, allow

FAILING = "def handle(event, context): raise ValueError('no')"


def seconds(cloud: Cloud, **retry: object) -> float:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": cloud.function(FAILING)},
        "Retry": [{"ErrorEquals": ["ValueError"], **retry}],
        "End": True,
    }
    machine = cloud.machine({"Task": task}, allow("lambda:InvokeFunction"))
    began = time.monotonic()
    assert cloud.run(machine, within=12)["error"] == "ValueError"
    return time.monotonic() - began


def test_a_delay_grows_no_further_than_its_maximum(cloud: Cloud) -> None:
    # 1 + 3 seconds without the maximum.
    assert 2 <= seconds(cloud, IntervalSeconds=1, BackoffRate=3, MaxDelaySeconds=1, MaxAttempts=2) < 3.5


def test_full_jitter_waits_for_any_part_of_the_delay(cloud: Cloud) -> None:
    # Three seconds without jitter; the chance that jitter reaches them is nil.
    assert seconds(cloud, IntervalSeconds=3, MaxAttempts=1, JitterStrategy="FULL") < 3
