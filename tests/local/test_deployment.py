"""Tests of deployments: created, updated, replaced and deleted resources, and the error messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from local.client import Client
from local.instance import Instance, instance
from local.instances import Running, command, free_port, up
from tests.local.program import API, FUNCTION, TABLE, write

QUEUE = 'queue = aws.sqs.Queue("queue", name="queue", visibility_timeout_seconds={seconds})'


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that all tests of this module share. Each test deploys another program to it."""
    found = instance(free_port(), tmp_path_factory.mktemp("deployment") / "instance")
    yield found
    command("down", found)


@pytest.fixture
def deploy(where: Instance, tmp_path: Path) -> Callable[..., Running]:
    return lambda *parts: up(where, program=write(tmp_path, *parts))


@pytest.fixture
def attempt(where: Instance, tmp_path: Path) -> Callable[..., CompletedProcess[str]]:
    return lambda *parts, **config: command("up", where, program=write(tmp_path, *parts, **config))


def visibility(platform: Running) -> str:
    url = platform.aws("sqs", "get_queue_url", QueueName="queue")["QueueUrl"]
    return platform.aws("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"][
        "VisibilityTimeout"
    ]


def test_a_changed_property_is_updated_in_place(deploy: Callable[..., Running]) -> None:
    platform = deploy(QUEUE.format(seconds=30))
    url = platform.aws("sqs", "get_queue_url", QueueName="queue")["QueueUrl"]
    platform.aws("sqs", "send_message", QueueUrl=url, MessageBody="kept")
    deploy(QUEUE.format(seconds=60))

    assert visibility(platform) == "60"
    assert platform.aws("sqs", "receive_message", QueueUrl=url)["Messages"][0]["Body"] == "kept"


def test_resource_removed_from_the_program_is_deleted(
    deploy: Callable[..., Running], attempt: Callable[..., CompletedProcess[str]]
) -> None:
    platform = deploy(QUEUE.format(seconds=30), TABLE)
    done = attempt(QUEUE.format(seconds=30))

    assert "1 deleted, 1 same" in done.stdout
    assert platform.aws("dynamodb", "list_tables")["TableNames"] == []


def test_bucket_is_deleted_with_all_object_versions(deploy: Callable[..., Running]) -> None:
    bucket = """
        bucket = aws.s3.Bucket("bucket", bucket="things")
        aws.s3.BucketVersioning("v", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"})
        aws.s3.BucketNotification("n", bucket=bucket.bucket, eventbridge=True)
    """
    platform = deploy(bucket)
    told = platform.aws("s3", "get_bucket_notification_configuration", Bucket="things")
    for body in (b"1", b"2"):
        platform.aws("s3", "put_object", Bucket="things", Key="a", Body=body)
    platform.aws("s3", "delete_object", Bucket="things", Key="a")
    deploy(QUEUE.format(seconds=30))

    assert told["EventBridgeConfiguration"] == {}
    assert platform.aws("s3", "list_buckets")["Buckets"] == []


def test_new_code_creates_a_new_version_for_the_alias(deploy: Callable[..., Running]) -> None:
    first = deploy(FUNCTION.replace("ANSWER", "1"))
    arn = first.outputs["function"]
    answers: list[str] = []
    for answer in ("1", "2"):
        deploy(FUNCTION.replace("ANSWER", answer))
        answers.append(first.aws("lambda", "invoke", FunctionName=arn)["Payload"].read().decode())

    assert answers == ["1", "2"]


def test_changed_rest_api_is_deployed_once(
    deploy: Callable[..., Running], attempt: Callable[..., CompletedProcess[str]]
) -> None:
    def api(**paths: str) -> str:
        return API.replace("PATHS", json.dumps({path.replace("_", "/"): text for path, text in paths.items()}))

    url = deploy(api(_one="first", _old="gone")).outputs["url"]
    changed = attempt(api(_one="second", _new="new"))

    # The update changes the REST API and its stage, and replaces the API Gateway deployment.
    assert "2 updated, 1 replaced" in changed.stdout
    answers = {path: Client({}, "").send("GET", f"{url}/{path}") for path in ("one", "old", "new")}
    assert (answers["one"].text, answers["new"].text, answers["old"].status) == ("second", "new", 403)


def test_replaced_role_gets_its_inline_policy_again(deploy: Callable[..., Running]) -> None:
    policy = """
        aws.iam.RolePolicy("policy", name="p", role=role.name, policy=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
        ))
    """
    role = 'role = aws.iam.Role("role", name="r", path="PATH", assume_role_policy=trust("lambda.amazonaws.com"))'
    platform = deploy(role.replace("PATH", "/a/"), policy)
    deploy(role.replace("PATH", "/b/"), policy)

    assert platform.aws("iam", "get_role", RoleName="r")["Role"]["Path"] == "/b/"
    assert platform.aws("iam", "list_role_policies", RoleName="r")["PolicyNames"] == ["p"]


def test_replacement_of_a_table_is_refused_with_a_remedy(
    deploy: Callable[..., Running], attempt: Callable[..., CompletedProcess[str]]
) -> None:
    platform = deploy(TABLE)
    platform.aws("dynamodb", "put_item", TableName="things", Item={"id": {"S": "kept"}})
    done = attempt(TABLE.replace('"id"', '"other"'))

    assert done.returncode == 1
    assert "aws:dynamodb/table:Table 'things'" in done.stderr
    assert "would be lost" in done.stderr
    assert f"make down PORT={platform.instance.port} && make up" in done.stderr
    assert platform.aws("dynamodb", "scan", TableName="things")["Count"] == 1


def test_resource_type_without_an_adapter_is_reported(attempt: Callable[..., CompletedProcess[str]]) -> None:
    done = attempt('aws.rds.SubnetGroup("group", name="g", subnet_ids=["a"])')

    assert done.returncode == 1
    assert "aws:rds/subnetGroup:SubnetGroup 'group'" in done.stderr
    assert "no adapter for this type" in done.stderr
    assert "Traceback" not in done.stderr


def test_property_that_the_adapter_does_not_support_is_reported(attempt: Callable[..., CompletedProcess[str]]) -> None:
    done = attempt('aws.sns.Topic("topic", name="t", archive_policy="{}")')

    assert done.returncode == 1
    assert "aws:sns/topic:Topic 'topic'" in done.stderr
    assert "does not support archivePolicy" in done.stderr
    assert "local/adapters/sns.py" in done.stderr


def test_property_that_aws_does_not_accept_is_reported(attempt: Callable[..., CompletedProcess[str]]) -> None:
    rule = 'bus = aws.cloudwatch.EventTarget("t", rule="r", target_id="t", arn="arn:aws:sqs:eu-west-1:000000000000:q", '
    done = attempt(f"{rule} sqs_target={{'message_group_id': 'a', 'wrong': 1}})")

    assert done.returncode == 1
    assert "events:put_targets: ParamValidation" in done.stderr
    assert "Wrong" in done.stderr


def test_refused_creation_reports_resource_call_and_message(attempt: Callable[..., CompletedProcess[str]]) -> None:
    done = attempt('aws.iam.RolePolicy("policy", name="p", role="nobody", policy="{}")')

    assert done.returncode == 1
    assert "aws:iam/rolePolicy:RolePolicy 'policy' (urn:pulumi:local::demo::" in done.stderr
    assert "iam:put_role_policy: " in done.stderr
    assert "Traceback" not in done.stderr


def test_next_make_up_completes_a_failed_deployment(
    attempt: Callable[..., CompletedProcess[str]], deploy: Callable[..., Running]
) -> None:
    role = 'role = aws.iam.Role("later", name="later", assume_role_policy=trust("lambda.amazonaws.com"))'
    after = "opts=pulumi.ResourceOptions(depends_on=[role])"
    failing = f'aws.iam.RolePolicy("policy", name="p", role=ROLE, policy=POLICY, {after})'
    statement = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
    done = attempt(role, failing.replace("ROLE", '"nobody"').replace("POLICY", repr(statement)))
    platform = deploy(role, failing.replace("ROLE", "role.name").replace("POLICY", repr(statement)))

    assert done.returncode == 1
    assert platform.aws("iam", "list_role_policies", RoleName="later")["PolicyNames"] == ["p"]


def test_next_make_up_recreates_the_policy_of_a_role_that_a_failed_deployment_replaced(
    attempt: Callable[..., CompletedProcess[str]], deploy: Callable[..., Running]
) -> None:
    statement = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
    role = 'role = aws.iam.Role("role", name="r", path="PATH", assume_role_policy=trust("lambda.amazonaws.com"))'
    failing = f'bad = aws.iam.RolePolicy("bad", name="p", role="nobody", policy={statement!r}, opts=AFTER_ROLE)'
    policy = f'aws.iam.RolePolicy("policy", name="p", role=role.name, policy={statement!r}, opts=AFTER)'
    role_first = failing.replace("AFTER_ROLE", "pulumi.ResourceOptions(depends_on=[role])")
    platform = deploy(role.replace("PATH", "/a/"), policy.replace("AFTER", "None"))
    done = attempt(
        role.replace("PATH", "/b/"), role_first, policy.replace("AFTER", "pulumi.ResourceOptions(depends_on=[bad])")
    )
    deploy(role.replace("PATH", "/b/"), policy.replace("AFTER", "None"))

    assert done.returncode == 1
    assert platform.aws("iam", "list_role_policies", RoleName="r")["PolicyNames"] == ["p"]


def test_replaced_resource_is_gone_after_a_failed_and_a_successful_deployment(
    attempt: Callable[..., CompletedProcess[str]], deploy: Callable[..., Running]
) -> None:
    program = """
        pool = aws.cognito.UserPool("pool", name="replaced")
        client = aws.cognito.UserPoolClient("client", name="replaced", user_pool_id=pool.id, generate_secret=SECRET)
    """
    failing = 'aws.iam.RolePolicy("p", name="p", role="nobody", policy="{}", opts=AFTER)'
    platform = deploy(program.replace("SECRET", "False"))
    done = attempt(
        program.replace("SECRET", "True"), failing.replace("AFTER", "pulumi.ResourceOptions(depends_on=[client])")
    )
    deploy(program.replace("SECRET", "True"))

    assert done.returncode == 1
    pools = platform.aws("cognito-idp", "list_user_pools", MaxResults=60)["UserPools"]
    (pool,) = (each["Id"] for each in pools if each["Name"] == "replaced")
    (client,) = platform.aws("cognito-idp", "list_user_pool_clients", UserPoolId=pool)["UserPoolClients"]
    described = platform.aws("cognito-idp", "describe_user_pool_client", UserPoolId=pool, ClientId=client["ClientId"])
    assert described["UserPoolClient"]["ClientSecret"]


def test_two_resources_with_the_same_name_are_refused(attempt: Callable[..., CompletedProcess[str]]) -> None:
    done = attempt(QUEUE.format(seconds=30), QUEUE.format(seconds=30))

    assert done.returncode == 1
    assert "two resources have the URN" in done.stderr


def test_failed_program_is_reported_with_its_line(attempt: Callable[..., CompletedProcess[str]]) -> None:
    done = attempt("raise ValueError('this is wrong')")

    assert done.returncode == 1
    assert "the program failed (__main__.py:" in done.stderr
    assert "ValueError: this is wrong" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_error_of_the_program_is_reported_unchanged(
    attempt: Callable[..., CompletedProcess[str]],
) -> None:
    done = attempt("raise pulumi.RunError('size: allowed: 1-5')")

    assert done.returncode == 1
    assert done.stderr == "error: size: allowed: 1-5\n"


def test_program_reads_objects_numbers_and_booleans_from_its_configuration(
    attempt: Callable[..., CompletedProcess[str]],
) -> None:
    config = {"demo:area": {"on": True, "list": [1]}, "demo:flag": True, "demo:number": 5, "text": "x"}
    check = """
        config = pulumi.Config()
        assert config.require_object("area") == {"on": True, "list": [1]}
        assert config.require_bool("flag") is True
        assert config.require_int("number") == 5
        assert config.require("text") == "x"
    """
    assert attempt(check, config=config).returncode == 0


def test_secret_in_the_stack_file_is_reported(attempt: Callable[..., CompletedProcess[str]]) -> None:
    done = attempt("", config={"demo:password": {"secure": "AAAB"}})

    assert done.returncode == 1
    assert done.stderr.startswith("error: Pulumi.local.yaml:1: demo:password: got a secret; allowed: plain values")
