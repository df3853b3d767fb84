import time

from tests.local.cloud import Cloud


def test_a_warm_invocation_waits_for_nothing(cloud: Cloud) -> None:
    function = cloud.function("def handle(event, context): return 1")
    cloud.invoke(function, {})
    times: list[float] = []
    for _ in range(5):
        began = time.monotonic()
        cloud.invoke(function, {})
        times.append(time.monotonic() - began)

    # Both waits that the correction takes away are longer than this.
    assert min(times) < 0.035


def test_the_log_of_an_invocation_is_what_it_printed(cloud: Cloud) -> None:
    function = cloud.function("def handle(event, context): print('one'); print('two')")
    cloud.invoke(function, {})

    lines = cloud.log(f"/aws/lambda/{function.split(':')[6]}")
    assert [line for line in lines if not line.startswith(("START", "END", "REPORT"))] == ["one", "two"]
