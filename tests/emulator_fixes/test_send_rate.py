from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local import emulator
from local.aws import NO_PROXIES
from local.environment import ROOT_KEY
from local.instance import Instance
from local.instances import free_port
from tests.local.cloud import Cloud, eventually, left_out

RATE = 0.5
"""Emails per second. The rate is so low that even a busy machine sends emails faster."""


def sender(cloud: Cloud) -> Any:
    """Return an SES client that does not retry a call that SES throttles."""
    client: Any = boto3.client(  # pyright: ignore[reportUnknownMemberType] - not all services have stubs
        "sesv2",
        endpoint_url=cloud.instance.url,
        region_name=cloud.region,
        aws_access_key_id=ROOT_KEY,
        aws_secret_access_key=ROOT_KEY,
        config=Config(retries={"total_max_attempts": 1}, proxies=NO_PROXIES),
    )
    client.create_email_identity(EmailIdentity="orders@example.com")
    return client


def is_sent(client: Any) -> bool:
    """Send an email. Return True if SES accepts the email, and False if SES throttles it. Raises all other errors."""
    try:
        client.send_email(
            FromEmailAddress="orders@example.com",
            Destination={"ToAddresses": ["to@example.com"]},
            Content={"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}},
        )
    except client.exceptions.TooManyRequestsException:
        return False
    return True


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Any]:
    """An SES client of a separate emulator, in which SES accepts one email every two seconds."""
    instance = Instance(port=free_port(), home=tmp_path)
    rate = {"LOCAL_MAIL_RATE": str(RATE), "LOCAL_WARM": "0"}
    emulator.start(instance, region="eu-west-1", without=left_out(), environment=rate).wait()
    yield sender(Cloud(instance, "eu-west-1"))
    emulator.stop(instance)


def test_email_above_the_send_rate_is_throttled_and_accepted_later(limited: Any) -> None:
    sent = [is_sent(limited) for _ in range(10)]
    assert sent[0]
    assert False in sent
    eventually(lambda: is_sent(limited))


def test_emails_are_not_throttled_without_a_send_rate(cloud: Cloud) -> None:
    client = sender(cloud)
    assert all(is_sent(client) for _ in range(10))
