from tests.local.cloud import Cloud, allow, let

DENY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sqs:*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def test_role_may_send_to_a_queue_that_requires_tls(cloud: Cloud) -> None:
    url, queue = cloud.queue(DENY)
    source = f"""
        import boto3
        def handle(event, context):
            boto3.client('sqs').send_message(QueueUrl='{url}', MessageBody='x')
    """
    cloud.invoke(cloud.function(source, allow("sqs:SendMessage", on=queue)), {})

    assert cloud.messages(url)


def test_rule_may_send_to_a_queue_that_requires_tls(cloud: Cloud) -> None:
    bus = cloud.bus()
    name = "tls"
    pattern = '{"source": ["test"]}'
    rule = cloud("events", "put_rule", Name=name, EventBusName=bus, EventPattern=pattern)["RuleArn"]
    url, queue = cloud.queue(DENY, let("events.amazonaws.com", "sqs:SendMessage", rule))
    cloud("events", "put_targets", Rule=name, EventBusName=bus, Targets=[{"Id": "0", "Arn": queue}])

    cloud.put(bus, {})

    assert cloud.messages(url)
