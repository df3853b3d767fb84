import json
import time

from tests.local.cloud import Cloud, allow, eventually, log_group

QUICK = """
    def handle(event, context):
        print("ran")
"""
RECEIVE, DELETE, ATTRIBUTES = "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"
POLLS_S = 1.5
"""Seconds in which the emulator polls a queue several times."""


def grant(cloud: Cloud, function: str, *actions: str) -> None:
    """Replace the policy of `function`'s execution role with a policy that allows only `actions`."""
    role = cloud("lambda", "get_function_configuration", FunctionName=function)["Role"].rpartition("/")[2]
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow(*actions)]})
    cloud("iam", "put_role_policy", RoleName=role, PolicyName="p", PolicyDocument=document)


def mapped(cloud: Cloud) -> tuple[str, str]:
    """Create a function with a queue as its event source, and return the function's ARN and the queue's URL."""
    url, queue = cloud.queue(VisibilityTimeout="1")
    function = cloud.function(QUICK, allow(RECEIVE, DELETE, ATTRIBUTES), Timeout=1)
    cloud("lambda", "create_event_source_mapping", FunctionName=function, EventSourceArn=queue)
    return function, url


def counts(cloud: Cloud, url: str) -> tuple[int, int]:
    """Return the numbers of messages in the queue `url` as (visible, hidden)."""
    found = cloud("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])


def test_messages_stay_in_the_queue_while_the_role_of_the_function_may_not_receive_them(cloud: Cloud) -> None:
    function, url = mapped(cloud)
    grant(cloud, function, DELETE, ATTRIBUTES)
    cloud("sqs", "send_message", QueueUrl=url, MessageBody="one")
    time.sleep(POLLS_S)
    assert counts(cloud, url) == (1, 0)

    grant(cloud, function, RECEIVE, DELETE, ATTRIBUTES)
    eventually(lambda: counts(cloud, url) == (0, 0))


def test_refused_polls_do_not_count_as_receives(cloud: Cloud) -> None:
    function, url = mapped(cloud)
    grant(cloud, function, ATTRIBUTES)
    cloud("sqs", "send_message", QueueUrl=url, MessageBody="one")
    time.sleep(POLLS_S)

    (message,) = cloud("sqs", "receive_message", QueueUrl=url, MessageSystemAttributeNames=["ApproximateReceiveCount"])[
        "Messages"
    ]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_messages_return_to_the_queue_while_the_role_of_the_function_may_not_delete_them(cloud: Cloud) -> None:
    function, url = mapped(cloud)
    grant(cloud, function, RECEIVE, ATTRIBUTES)
    cloud("sqs", "send_message", QueueUrl=url, MessageBody="one")
    assert cloud.log(log_group(function), "ran", count=2)

    grant(cloud, function, RECEIVE, DELETE, ATTRIBUTES)
    eventually(lambda: counts(cloud, url) == (0, 0))
