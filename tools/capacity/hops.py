"""Calculates how many orders per second each hop on an order's path carries.

The result is the hop's limit in calls per second, divided by the number of calls that one order needs. The numbers of
calls come from the recorded order of `make cost`. The limits come from quotas.toml and from the settings in the stack's
resource graph. Durations come from the assumptions of `make cost` and from assumptions.toml.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, inf
from typing import Any, Final, Literal, cast

from contracts.orders import DETAIL_TYPES
from contracts.queues import GROUP_DIGITS
from engine.graph import Graph, Resource
from tools.capacity.quotas import Quota, assumptions, quotas
from tools.cost import design as cost_design
from tools.cost import recorded
from tools.cost.capacity import units
from tools.cost.model import Model
from tools.cost.recorded import Use

Stage = Literal["accept", "decide", "product", "follow"]
"""When an order reaches a hop: before the response (`accept`), before the decision (`decide`) or after it (`follow`).

`product` is a hop before the decision that limits only the orders of one product.
"""
_EVENTS: Final = (DETAIL_TYPES["PENDING"], DETAIL_TYPES["CONFIRMED"])
"""The events of a confirmed order."""
_OF_EMAILS: Final = ("idempotency", "users")
_CALLED: Final = ("orders_api", "validate_order", "update_inventory")
_REFUSED: Final = "the customer gets 429 or 503, and can repeat the request with the same Idempotency-Key"
_RETRIED: Final = "the STANDARD execution repeats the step until the execution's time limit"
_EVENT_WAITS: Final = "SQS delivers the message to send_email again later"
_STARTED_LATER: Final = "process_order fails, and Lambda retries its event twice"
_STREAM_WAITS: Final = "the change waits in the stream of the orders table, for up to 24 h"
_DELIVERY_WAITS: Final = "EventBridge retries the delivery until the event reaches the maximum event age of the target"
_QUEUE_WAITS: Final = "the message waits in its queue, for up to 14 days"


@dataclass(frozen=True, kw_only=True)
class Hop:
    """A step on an order's path that has a limit."""

    name: str
    per_order: float
    """Number of calls or units that one order needs, in the unit of `limit`."""
    limit: float
    """Maximum number of calls or units per second."""
    at_once: float
    """Maximum number of calls or units at the same moment."""
    limited_by: str
    """The quota, limit or setting, with its value."""
    quota: Quota | None
    """The quota or limit. None if a setting of the stack is the limit."""
    stage: Stage
    beyond: str
    """What happens to an order above the limit."""

    @property
    def rate(self) -> float:
        """Return how many orders per second the hop can sustain, or infinity if an order does not use the hop."""
        return self.limit / self.per_order if self.per_order else inf

    @property
    def burst(self) -> float:
        """Return how many orders the hop accepts at the same moment, or infinity if an order does not use the hop."""
        return self.at_once / self.per_order if self.per_order else inf


@dataclass(frozen=True)
class Way:
    """POST /orders or POST /process on the stack of `graph`. `use` is the recording of what one order uses."""

    graph: Graph
    use: Use
    region: str

    def hops(self) -> list[Hop]:
        """Return all hops, in the sequence in which an order reaches them."""
        return [
            *self._api(),
            *self._functions(),
            *self._tables(),
            *self._streams(),
            *self._bus(),
            *self._executions(),
            *self._queues(),
            *self._calls(),
        ]

    @cached_property
    def _quotas(self) -> Mapping[str, Quota]:
        return quotas()

    @cached_property
    def _design(self) -> cost_design.Design:
        return cost_design.read(self.graph)

    @cached_property
    def _assumed(self) -> Mapping[str, Any]:
        return assumptions()

    def _hop(self, name: str, key: str, per_order: float, stage: Stage, beyond: str, *, factor: float = 1) -> Hop:
        """Return a hop with a limit of `factor` times the quota `key`."""
        quota = self._quotas[key]
        value = quota.value(self.region) * factor
        return Hop(
            name=name,
            per_order=per_order,
            limit=value,
            at_once=max(quota.at_once(self.region) * factor, value if not quota.bucket else 0),
            limited_by=f"{quota.label}: {value:,.0f}",
            quota=quota,
            stage=stage,
            beyond=beyond,
        )

    def _api(self) -> Iterator[Hop]:
        yield self._hop("REST and HTTP API, account", "api_requests", 1, "accept", _REFUSED)
        (settings,) = self.graph.of("MethodSettings")
        rate, burst = (settings.inputs["settings"][f"throttling{kind}Limit"] for kind in ("Rate", "Burst"))
        yield Hop(
            name="REST API, setting",
            per_order=1,
            limit=rate,
            at_once=burst,
            limited_by=f"setting api.throttleRate: {rate:,}",
            quota=None,
            stage="accept",
            beyond=_REFUSED,
        )

    def _functions(self) -> Iterator[Hop]:
        model = Model(recorded.prices(), recorded.assumptions())
        busy = {
            name: each.invocations * model.seconds(name, self._design.functions[name].memory_mb)
            for name, each in self.use.functions.items()
        }
        beyond = "synchronous invocations of functions get 429; events and messages wait"
        concurrent = self._hop("functions, all together", "lambda_concurrency", sum(busy.values()), "accept", beyond)
        # Each simultaneous call of a function needs its own execution environment. Events can wait for a free one. A
        # burst of orders is therefore limited only by the functions whose callers wait for the response.
        called = max(each.invocations for name, each in self.use.functions.items() if name in _CALLED)
        yield _with_burst(concurrent, concurrent.limit / called * concurrent.per_order)
        most = max(busy.values())
        slowest = max(busy, key=lambda name: busy[name])
        scaling = self._hop(f"functions, new environments ({slowest})", "lambda_scaling", most, "accept", beyond)
        yield _with_burst(scaling, scaling.limit / called * most)

    def _tables(self) -> Iterator[Hop]:
        plain, indexed = Counter[str](), Counter[str]()
        reads, popular = Counter[str](), Counter[str]()
        # With POST /process, the customer waits for the EXPRESS execution, so all its steps come before the response.
        before = ("orders_api",) if "standard" in self.use.workflows else ("express", *_CALLED)
        accepting = {access.table for caller, access in self.use.accesses if caller in before}
        for _, access in self.use.accesses:
            own, all_of_it = units(access, {}), units(access, self._design.projections)
            plain[access.table] += own.writes
            indexed[access.table] += all_of_it.writes - own.writes
            reads[access.table] += ceil(own.reads)
            if access.is_transactional:
                popular[access.table] = max(popular[access.table], own.writes)
        for table in sorted(plain):
            stage: Stage = "accept" if table in accepting else "follow" if table in _OF_EMAILS else "decide"
            beyond = {"accept": _REFUSED, "decide": _RETRIED}.get(stage, _EVENT_WAITS)
            if plain[table]:
                yield self._hop(f"table {table}, writes", "table_writes", plain[table], stage, beyond)
            if reads[table]:
                yield self._hop(f"table {table}, reads", "table_reads", reads[table], stage, beyond)
            if indexed[table]:
                (index,) = [name for name, kind in self._design.projections[table].items() if kind == "ALL"]
                yield self._hop(f"index {index}, writes", "table_writes", indexed[table], stage, beyond)
        yield self._hop("orders of one product, writes", "partition_writes", popular["inventory"], "product", _RETRIED)

    def _streams(self) -> Iterator[Hop]:
        # A stream has one shard per partition of its table, and a new table has one partition per 1,000 write units.
        shards = self._quotas["table_writes"].default / self._quotas["partition_writes"].default
        for mapping in self._mappings(":dynamodb:"):
            inputs, name = mapping.inputs, _function_of(mapping)
            batches = shards * inputs.get("parallelizationFactor", 1) / self._batch_s(name)
            yield Hop(
                name=f"stream, {name}",
                per_order=len(_EVENTS),
                limit=batches * inputs["batchSize"],
                at_once=inf,
                limited_by=f"{shards:.0f} shards x {inputs.get('parallelizationFactor', 1)} batches of "
                f"{inputs['batchSize']} records at a time, {self._batch_s(name) * 1000:.0f} ms each",
                quota=None,
                stage="decide",
                beyond=_STREAM_WAITS,
            )

    def _bus(self) -> Iterator[Hop]:
        # `calls` is the number for the worst case, which occurs at a low rate of orders: each stream batch contains
        # only one change, so each event needs its own call. At a high rate, several events share a call.
        calls = self.use.of("PutEvents")
        yield _with_burst(self._hop("bus, PutEvents", "put_events", calls, "decide", _STREAM_WAITS), inf)
        invoked = sum(self._matches(target, event) for target in self.graph.of("EventTarget") for event in _EVENTS)
        beyond = "EventBridge invokes the target later"
        yield _with_burst(self._hop("bus, rule targets", "target_invocations", invoked, "decide", beyond), inf)

    def _executions(self) -> Iterator[Hop]:
        starts = sum(number for call, number in self.use.calls.items() if call == "process_order StartExecution")
        yield self._hop("workflow, StartExecution", "start_execution", starts, "decide", _STARTED_LATER)
        transitions = self.use.workflows["standard"].transitions if "standard" in self.use.workflows else 0
        delayed = "Step Functions delays the transition"
        yield _with_burst(self._hop("workflow, transitions", "state_transitions", transitions, "decide", delayed), inf)

    def _queues(self) -> Iterator[Hop]:
        for mapping in self._mappings(":sqs:"):
            inputs, name = mapping.inputs, _function_of(mapping)
            (queue,) = [made for made in self.graph.of("Queue") if made.state["arn"] == inputs["eventSourceArn"]]
            role = queue.name
            targets = [made for made in self.graph.of("EventTarget") if made.inputs["arn"] == queue.state["arn"]]
            if not targets:
                # No target sends to this queue, so it is a dead-letter queue. It receives events only while EventBridge
                # cannot deliver them, and limits no orders.
                continue
            events = sum(self._matches(target, event) for target in targets for event in _EVENTS)
            scaling = cast("dict[str, Any]", inputs.get("scalingConfig") or {})
            # Without maximumConcurrency, Lambda processes up to 1,250 batches of a standard queue at the same time.
            concurrency: float = scaling.get("maximumConcurrency", 1_250)
            if queue.inputs.get("fifoQueue"):
                groups = len({json.dumps(target.inputs.get("sqsTarget")) for target in targets})
                wide = queue.inputs.get("fifoThroughputLimit") == "perMessageGroupId"
                yield _with_burst(
                    self._hop(
                        f"queue {role}, sends",
                        "fifo_sends",
                        events,
                        "follow",
                        _DELIVERY_WAITS,
                        factor=groups if wide else 1,
                    ),
                    inf,
                )
                concurrency = min(concurrency, groups)
            batch_s = self._batch_s(name)
            yield Hop(
                name=f"queue {role}, {name}",
                per_order=events,
                limit=concurrency * inputs["batchSize"] / batch_s,
                at_once=inf,
                limited_by=f"{concurrency:.0f} batches of {inputs['batchSize']} messages at a time, "
                f"{batch_s * 1000:.0f} ms each",
                quota=None,
                stage="follow",
                beyond=_QUEUE_WAITS,
            )

    def _calls(self) -> Iterator[Hop]:
        yield self._hop("emails", "emails", self.use.of("SendEmail"), "follow", _EVENT_WAITS)
        tells = sum(
            each.invocations for name, each in self.use.functions.items() if self._design.functions[name].tells_success
        )
        published = self.use.of("sns:publish") + tells
        yield self._hop("notifications", "notifications", published, "follow", "the message to the topic is lost")
        yield self._hop("analytics objects", "object_puts", self.use.of("PutObject"), "follow", _QUEUE_WAITS)
        # In the worst case, each invocation and each execution needs its own call of PutLogEvents. A busy execution
        # environment needs fewer calls, because one call writes the log lines of several invocations.
        writes = sum(each.invocations for each in self.use.functions.values())
        writes += sum(each.executions for each in self.use.workflows.values())
        yield self._hop("logs", "log_puts", writes, "follow", "log lines are late")

    def _mappings(self, kind: str) -> list[Resource]:
        found = [made for made in self.graph.of("EventSourceMapping") if kind in made.inputs["eventSourceArn"]]
        return sorted(found, key=lambda made: made.name)

    def _batch_s(self, function: str) -> float:
        try:
            return self._assumed["batch_ms"][function] / 1000
        except KeyError:
            raise KeyError(
                f"batch_ms.{function}: got nothing; required: the duration of a full batch in milliseconds; add it to "
                "tools/capacity/assumptions.toml"
            ) from None

    def _matches(self, target: Resource, event: str) -> float:
        """Return the share of the events with the detail type `event` that the rule of `target` matches.

        Each message group has its own rule, which matches events by the first character of the event id.
        """
        (rule,) = [made for made in self.graph.of("EventRule") if made.inputs["name"] == target.inputs["rule"]]
        pattern = cast("dict[str, Any]", json.loads(rule.inputs.get("eventPattern") or "{}"))
        return (event in pattern.get("detail-type", ())) / (len(GROUP_DIGITS) if "detail" in pattern else 1)


def _function_of(mapping: Resource) -> str:
    """Return the folder of the function that `mapping` connects to a queue or stream."""
    return mapping.name.rpartition("-")[0].replace("-", "_")


def _with_burst(hop: Hop, at_once: float) -> Hop:
    return replace(hop, at_once=at_once)
