"""Tests of physical resource names and tags."""

import pytest

from components.aws.naming import LIMITS, Naming


def test_physical_name_consists_of_project_stack_and_purpose() -> None:
    assert Naming(project="orders", stack="dev").physical("users-api", kind="function") == "orders-dev-users-api"


def test_name_suffix_counts_toward_the_length_limit() -> None:
    naming = Naming(project="orders", stack="dev")
    room = LIMITS["queue"] - len("orders-dev-")
    assert naming.physical("q" * (room - 5), kind="queue", suffix=".fifo").endswith(".fifo")
    with pytest.raises(ValueError, match=r"81 characters; AWS allows 80 for a queue; choose a shorter stack name"):
        naming.physical("q" * (room - 4), kind="queue", suffix=".fifo")


@pytest.mark.parametrize("role", ["Users", "users_api", "-users", "users-", "users--api", "", "1st"])
def test_name_part_that_an_aws_service_rejects_is_refused(role: str) -> None:
    with pytest.raises(ValueError, match="name part"):
        Naming(project="orders", stack="dev").physical(role)


def test_tags_contain_project_stack_and_component() -> None:
    tags = Naming(project="orders", stack="dev").tags("data")
    assert tags == {"Project": "orders", "Stack": "dev", "Component": "data", "ManagedBy": "pulumi"}
