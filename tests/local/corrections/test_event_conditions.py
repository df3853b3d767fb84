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


def test_a_role_may_put_the_events_that_its_policy_names(cloud: Cloud) -> None:
    assert put(cloud, ("orders.api", "OrderCreated"), ("orders.api", "OrderFailed")) == 0


def test_a_role_may_not_put_events_of_another_source(cloud: Cloud) -> None:
    answer = put(cloud, ("orders.api", "OrderCreated"), ("somebody", "OrderCreated"))
    assert isinstance(answer, dict)
    assert "not authorized to perform: events:PutEvents" in answer["errorMessage"]


def test_a_role_may_not_put_events_of_another_kind(cloud: Cloud) -> None:
    answer = put(cloud, ("orders.api", "Anything"))
    assert isinstance(answer, dict)
    assert "not authorized" in answer["errorMessage"]
