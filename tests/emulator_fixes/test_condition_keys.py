from tests.local.cloud import Cloud, allow

PUT = """
    import boto3
    def handle(event, context):
        entries = [
            {"EventBusName": event["bus"], "Source": source, "DetailType": kind, "Detail": "{}"}
            for source, kind in event["kinds"]
        ]
        return boto3.client("events").put_events(Entries=entries)["FailedEntryCount"]
"""
LIMITED = {"StringEquals": {"events:source": "orders.api", "events:detail-type": ["OrderCreated", "OrderFailed"]}}


def put(cloud: Cloud, *kinds: tuple[str, str]) -> object:
    function = cloud.function(PUT, allow("events:PutEvents", Condition=LIMITED))
    return cloud.invoke(function, {"bus": cloud.bus(), "kinds": kinds})


def test_role_may_put_events_that_its_policy_allows(cloud: Cloud) -> None:
    assert put(cloud, ("orders.api", "OrderCreated"), ("orders.api", "OrderFailed")) == 0


def test_role_may_not_put_events_of_another_source(cloud: Cloud) -> None:
    answer = put(cloud, ("orders.api", "OrderCreated"), ("somebody", "OrderCreated"))
    assert isinstance(answer, dict)
    assert "not authorized to perform: events:PutEvents" in answer["errorMessage"]


def test_role_may_not_put_events_of_another_detail_type(cloud: Cloud) -> None:
    answer = put(cloud, ("orders.api", "Anything"))
    assert isinstance(answer, dict)
    assert "not authorized" in answer["errorMessage"]


def send(cloud: Cloud, sender: str) -> object:
    cloud("sesv2", "create_email_identity", EmailIdentity=sender)
    source = f"""
        import boto3
        def handle(event, context):
            body = {{"Simple": {{"Subject": {{"Data": "s"}}, "Body": {{"Text": {{"Data": "t"}}}}}}}}
            answer = boto3.client("sesv2").send_email(
                FromEmailAddress="{sender}", Destination={{"ToAddresses": ["to@example.com"]}}, Content=body
            )
            return "MessageId" in answer
    """
    limited = {"StringEquals": {"ses:FromAddress": "orders@example.com"}}
    identities = cloud.arn("ses", "identity/*")
    return cloud.invoke(cloud.function(source, allow("ses:SendEmail", on=identities, Condition=limited)), {})


def test_role_may_send_email_from_an_allowed_address(cloud: Cloud) -> None:
    assert send(cloud, "orders@example.com") is True


def test_role_may_not_send_email_from_another_address(cloud: Cloud) -> None:
    answer = send(cloud, "somebody@example.com")
    assert isinstance(answer, dict)
    assert "not authorized" in answer["errorMessage"]
