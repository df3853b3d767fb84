import json

from tests.local.cloud import Cloud, allow, let, log_group

EVENTS = "events.amazonaws.com"
ECHO = "def handle(event, context):\n    print('got', event['detail'])"


def permit(cloud: Cloud, function: str, rule: str) -> None:
    name, _, qualifier = function.partition(":function:")[2].partition(":")
    cloud(
        "lambda",
        "add_permission",
        FunctionName=name,
        Qualifier=qualifier,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal=EVENTS,
        SourceArn=rule,
    )


def rule_with_dead_letters(cloud: Cloud, target: str) -> tuple[str, str, str]:
    """Create a bus with a rule that sends events to the resource with the ARN `target`.

    If the rule cannot deliver an event, it sends the event to a dead-letter queue.
    Return the name of the bus, the ARN of the rule, and the URL of the dead-letter queue.
    """
    bus = cloud.bus()
    rule = cloud.rule(bus)
    url, dead = cloud.queue(let(EVENTS, "sqs:SendMessage", rule))
    cloud.target(rule, target, DeadLetterConfig={"Arn": dead})
    return bus, rule, url


def test_function_whose_policy_does_not_allow_the_rule_is_not_invoked(cloud: Cloud) -> None:
    function = cloud.function(ECHO)
    bus, rule, dead = rule_with_dead_letters(cloud, function)

    cloud.put(bus, {"number": 1})

    letter = cloud.messages(dead)[0]
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert attributes["RULE_ARN"] == rule
    assert attributes["TARGET_ARN"] == function
    assert attributes["ERROR_MESSAGE"]
    body = json.loads(letter["Body"])
    assert (body["source"], body["detail"]) == ("test", {"number": 1})


def test_function_whose_policy_allows_the_rule_is_invoked(cloud: Cloud) -> None:
    function = cloud.function(ECHO)
    bus, rule, _ = rule_with_dead_letters(cloud, function)
    permit(cloud, function, rule)

    cloud.put(bus, {"number": 2})

    assert cloud.log(log_group(function), "got {'number': 2}")


def test_failed_function_is_retried_and_its_event_reaches_the_on_failure_destination(cloud: Cloud) -> None:
    failures_url, failures = cloud.queue()
    function = cloud.function("def handle(event, context): raise ValueError('no')", allow("sqs:SendMessage"))
    name = function.split(":")[6]
    destination = {"OnFailure": {"Destination": failures}}
    cloud(
        "lambda",
        "put_function_event_invoke_config",
        FunctionName=name,
        Qualifier="live",
        MaximumRetryAttempts=1,
        DestinationConfig=destination,
    )
    bus, rule, dead = rule_with_dead_letters(cloud, function)
    permit(cloud, function, rule)

    cloud.put(bus, {"number": 3})

    record = json.loads(cloud.messages(failures_url)[0]["Body"])
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["requestPayload"]["detail"] == {"number": 3}
    assert cloud.quiet(dead, 0.2)


def test_queue_whose_policy_does_not_allow_the_rule_gets_no_event(cloud: Cloud) -> None:
    url, queue = cloud.queue()
    bus, _, dead = rule_with_dead_letters(cloud, queue)

    cloud.put(bus, {"number": 4})

    assert cloud.messages(dead)[0]["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert cloud.quiet(url, 0.1)


def test_queue_whose_policy_allows_only_another_rule_gets_no_event(cloud: Cloud) -> None:
    bus = cloud.bus()
    url, queue = cloud.queue(let(EVENTS, "sqs:SendMessage", cloud.rule(bus)))
    cloud.target(cloud.rule(bus), queue)

    cloud.put(bus, {})

    assert cloud.quiet(url, 0.5)


def test_events_for_a_deleted_target_reach_the_dead_letter_queue(cloud: Cloud) -> None:
    bus, _, dead = rule_with_dead_letters(cloud, cloud.arn("sqs", "nobody"))

    cloud.put(bus, {"number": 5})

    assert cloud.messages(dead)[0]["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_RESOURCE"


def test_fifo_queue_stores_a_repeated_event_once(cloud: Cloud) -> None:
    bus = cloud.bus()
    rule = cloud.rule(bus)
    url, queue = cloud.queue(let(EVENTS, "sqs:SendMessage", rule), fifo=True)
    transformer = {"InputPathsMap": {"number": "$.detail.number"}, "InputTemplate": '{"number": <number>}'}
    cloud.target(rule, queue, SqsParameters={"MessageGroupId": "orders"}, InputTransformer=transformer)

    for number in (1, 1, 2):
        cloud.put(bus, {"number": number})

    received = cloud.messages(url, 2)
    assert [json.loads(message["Body"]) for message in received] == [{"number": 1}, {"number": 2}]
    assert received[0]["Attributes"]["MessageGroupId"] == "orders"
    assert cloud.quiet(url, 0.1)


def test_fifo_target_without_a_message_group_gets_no_event(cloud: Cloud) -> None:
    bus = cloud.bus()
    rule = cloud.rule(bus)
    url, queue = cloud.queue(let(EVENTS, "sqs:SendMessage", rule), fifo=True)
    cloud.target(rule, queue)

    cloud.put(bus, {})

    assert cloud.quiet(url, 0.3)
