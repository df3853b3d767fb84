"""`python -m tests.tools.record_previews [NAME ...]` updates the recorded previews for test_preview_comment.py.

A preview is the output of `pulumi preview --json`. For each recording, the command deploys a stack with the real
engine, changes a copy of the checkout, and previews the change. The recordings in `previews/` contain only what
tools/preview_comment reads. The same folder contains the expected comments (`*.md`), which the command does not write.
If a comment changes, test_preview_comment.py fails until somebody updates the comment's file.
"""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.engine.engine import Engine, copy_of
from tests.support.graph import ROOT
from tools.cost import design
from tools.preview_comment import permissions, routes
from tools.preview_comment.preview import UNKNOWN

FOLDER: Final = Path(__file__).with_name("previews")
FIRST: Final = "first-preview"
_DATA: Final = "components/data_tier.py"
_ROUTE: Final = """
  /orders/{order_id}/events:
    parameters:
      - { $ref: "#/components/parameters/OrderId" }
    get:
      operationId: listOrderEvents
      tags: [orders]
      summary: List what happened to an order
      responses:
        "200":
          description: The order.
          content:
            application/json:
              schema: { $ref: "#/components/schemas/Order" }
        "401": { $ref: "#/components/responses/Unauthorized" }
        "403": { $ref: "#/components/responses/Forbidden" }
        "404": { $ref: "#/components/responses/OrderNotFound" }
        "429": { $ref: "#/components/responses/TooManyRequests" }
        "5XX": { $ref: "#/components/responses/InternalError" }
"""
_ROLE: Final = """
        auditor = aws.iam.Role(
            f"{name}-auditor",
            name=args.naming.physical("auditor", kind="role"),
            assume_role_policy=trust("glue.amazonaws.com"),
            tags=args.naming.tags(_COMPONENT),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.iam.RolePolicy(
            f"{name}-auditor-permissions",
            role=auditor.name,
            policy=policy_document([allow("dynamodb:Query", "dynamodb:GetItem", on=self.orders.arn)]),
            opts=pulumi.ResourceOptions(parent=self),
        )
"""


@dataclass(frozen=True)
class Edit:
    """A change to one file: `new` replaces every `old`. The file must contain `old` at least once."""

    path: str
    old: str
    new: str

    def apply(self, checkout: Path) -> None:
        """Apply the edit to the file in `checkout`, a copy of the repository."""
        path = checkout / self.path
        text = path.read_text(encoding="utf-8")
        assert self.old in text, f"{self.path}: does not contain {self.old!r}; adapt the edit of this recording"
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


def _cancel() -> str:
    text = (ROOT / "contracts" / "rest-api.yaml").read_text(encoding="utf-8")
    start = text.index("  /orders/{order_id}/cancel:\n")
    return text[start : text.index("\n  /", start + 1) + 1]


CASES: Final[dict[str, tuple[str, list[Edit]]]] = {
    "new-route": (
        "dev",
        [
            Edit("contracts/rest-api.yaml", "\n  /process:\n", f"{_ROUTE}\n  /process:\n"),
            Edit(
                "components/apis/routes.py",
                '"getOrder": "orders_api",',
                '"getOrder": "orders_api", "listOrderEvents": "orders_api",',
            ),
        ],
    ),
    "removed-route": (
        "dev",
        [
            Edit("contracts/rest-api.yaml", _cancel(), ""),
            Edit("components/apis/routes.py", '        "cancelOrder": "orders_api",\n', ""),
        ],
    ),
    "widened-permission": (
        "dev",
        [
            Edit(
                "components/apis/rest_api.py",
                'allow("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem", on=args.orders_table.arn),',
                'allow("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem",'
                ' on=args.orders_table.arn), allow("dynamodb:GetItem", on=args.users_table.arn),',
            )
        ],
    ),
    "violated-policy": (
        "dev",
        [
            Edit(
                "components/apis/rest_api.py",
                'allow("dynamodb:Query", on=index_arn)',
                'allow("dynamodb:Query", on=pulumi.Output.concat(args.orders_table.arn, "*"))',
            )
        ],
    ),
    "new-role": (
        "dev",
        [
            Edit(
                _DATA,
                "import deny_insecure_transport",
                "import allow, deny_insecure_transport, policy_document, trust",
            ),
            Edit(
                _DATA,
                "        self.analytics_bucket = self._make_bucket()\n",
                f"        self.analytics_bucket = self._make_bucket()\n{_ROLE}",
            ),
        ],
    ),
    "deleted-table": (
        "dev",
        [Edit(_DATA, 'self._make_table("idempotency", keys=["id"], expires_by="expiration")', "self.users")],
    ),
    "replaced-table": ("dev", [Edit(_DATA, '"idempotency", keys=["id"]', '"idempotency", keys=["key"]')]),
    "memory-change": (
        "prod",
        [
            Edit(
                "components/apis/rest_api.py",
                'source="orders_api",\n                timeout_s=10,\n                memory_mb=256,',
                'source="orders_api",\n                timeout_s=10,\n                memory_mb=512,',
            )
        ],
    ),
    "queue-renamed-without-alias": (
        "dev",
        [
            Edit(
                "components/aws/messaging.py",
                "    return aws.sqs.Queue(\n        name,",
                '    return aws.sqs.Queue(\n        f"{name}-queue",',
            )
        ],
    ),
    "alarm-added": (
        "dev",
        [
            Edit(
                "components/observability/alarms.py",
                "    for name, stream in sorted(streams.items()):\n",
                '    yield Alarm(\n        role="order-stream-stopped",\n'
                '        description="No order event is published.",\n'
                '        metric=metrics.lambda_metric("IteratorAge", functions["publish_order_events"].function_name,'
                ' "Maximum"),\n        threshold=3_600_000,\n    )\n'
                "    for name, stream in sorted(streams.items()):\n",
            )
        ],
    ),
    "tags-only": (
        "dev",
        [Edit("components/aws/naming.py", '"ManagedBy": "pulumi"}', '"ManagedBy": "pulumi", "Team": "orders"}')],
    ),
}


def trimmed(printed: str) -> Iterator[dict[str, Any]]:
    """Yield the events of a preview, reduced to the fields that tools/preview_comment reads."""
    for line in filter(lambda line: line.startswith("{"), printed.splitlines()):
        event = json.loads(line)
        if "resourcePreEvent" in event:
            if made := _trimmed_metadata(event["resourcePreEvent"]["metadata"]):
                yield {"resourcePreEvent": {"metadata": made}}
        elif "policyEvent" in event or "summaryEvent" in event:
            yield {key: value for key, value in event.items() if key in ("policyEvent", "summaryEvent")}


def _trimmed_metadata(metadata: dict[str, Any]) -> dict[str, Any] | None:
    kept = {key: metadata[key] for key in ("op", "urn", "type", "diffs", "keys", "detailedDiff") if metadata.get(key)}
    token = metadata["type"].removeprefix("aws:")
    if metadata["op"] == "same" and token not in design.READ:
        return None
    for side in ("old", "new"):
        if state := metadata.get(side):
            names = ("custom", "id", "inputs", "protect", "retainOnDelete")
            kept[side] = {key: state[key] for key in names if state.get(key)}
    if metadata["op"] == "same":
        del kept["new"]
    return kept


def _program(checkout: Path, stack: str) -> Iterator[dict[str, Any]]:
    """Run the Pulumi program, and yield an event with the inputs of the resources that tools/preview_comment reads.

    The preview alone is not enough, because some of its values are unknown.
    """
    code = (
        "import json, sys; from tools.preview_comment.__main__ import record; "
        "json.dump([[each.type, each.name, dict(each.inputs)] "
        "for each in record(sys.argv[1], build_archives=False).resources], sys.stdout, default=str)"
    )
    command = [checkout / ".venv" / "bin" / "python", "-c", code, stack]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)  # noqa: S603
    yield {
        "program": [
            each
            for each in json.loads(done.stdout)
            if each[0].removeprefix("aws:") in design.READ or each[0] in {*permissions.TYPES, *routes.APIS}
        ]
    }


def write(name: str, events: Iterable[dict[str, Any]]) -> None:
    """Write `events` to the recording `name` in `previews/`."""
    text = "".join(json.dumps(event, sort_keys=True) + "\n" for event in events)
    (FOLDER / f"{name}.jsonl.xz").write_bytes(lzma.compress(text.encode(), preset=9))


def _preview(engine: Engine, stack: str) -> list[dict[str, Any]]:
    policies = ["--policy-pack", "policy", "--policy-pack-config", f"policy/enforcement/{stack}.json"]
    streaming = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
    ended = engine.run("preview", "--stack", stack, "--json", "--show-sames", *policies, variables=streaming)
    assert '"summaryEvent"' in ended.out, ended.said
    events = list(trimmed(ended.out))
    # A preview can contain values that are unknown until the update. tools/preview_comment then runs the program to
    # find these values, so the recording must also contain the program's resources.
    return [*events, *_program(engine.checkout, stack)] if UNKNOWN in json.dumps(events) else events


def record(names: list[str], folder: Path) -> None:
    """Record the cases in `names`. All cases of a stack share one deployment in `folder`."""
    environment = ROOT / ".venv"
    if FIRST in names:
        engine = Engine(folder / "first", copy_of(ROOT, folder / "first-checkout", environment))
        engine.create("dev")
        write(FIRST, _preview(engine, "dev"))
    homes: dict[str, Path] = {}
    for name in [each for each in names if each != FIRST]:
        stack, edits = CASES[name]
        if stack not in homes:
            deployed = Engine(folder / stack, copy_of(ROOT, folder / f"{stack}-checkout", environment))
            deployed.create(stack)
            deployed.must_up(stack)
            homes[stack] = deployed.home
        checkout = copy_of(ROOT, folder / name, environment)
        for edit in edits:
            edit.apply(checkout)
        write(name, _preview(Engine(homes[stack], checkout), stack))
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()


def main(names: list[str]) -> int:
    """Record the cases in `names`, by default all cases."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        record(names or [FIRST, *CASES], Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
