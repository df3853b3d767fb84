"""Calculates the cost of one order from what it uses (recorded.py), the stack's design (design.py) and AWS's prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from contracts.orders import LATE_SHARDS
from tools.cost.capacity import Access, Units, units
from tools.cost.design import HOURS_OF_A_MONTH, Design, Log
from tools.cost.recorded import Lines, Price, Use

PARTS: Final = (
    "API",
    "functions",
    "reads",
    "writes",
    "streams",
    "events",
    "queue",
    "notifications",
    "transitions",
    "logs",
    "traces",
)
APART: Final = ("objects", "mails")
"""Parts that the total leaves out, because each event causes one object and one email in every design."""
_GB: Final = 2**30
_DAYS_OF_A_MONTH: Final = 30
_EVENT_BYTES: Final = 64 * 1024
_BILLED_MS: Final = 100
_PAYLOAD_BYTES: Final = 6 * 2**20
"""Maximum size of the records that Lambda sends to a function in one batch."""
_MARK: Final = "mark_late_orders"
_SWEEP: Final = "restart_late_orders"
_RELAY: Final = "publish_order_events"
_ANALYTICS: Final = "record_analytics"
# These functions read a stream or a queue. Each of their invocations starts a new trace, and does not continue the
# sender's trace.
_ROOTS: Final = (_RELAY, "send_email", _ANALYTICS)
_FOLLOWING: Final = ("send_email", _ANALYTICS, _MARK)
"""Callers whose work comes after the decision, or in parallel with it."""
_FOLLOWING_AN_ANSWER: Final = (*_FOLLOWING, _RELAY, "process_order")
"""The same callers, if the response to the customer already contains the decision."""


@dataclass(frozen=True)
class Line:
    """One item of an order's bill."""

    part: str
    caller: str
    price: str
    quantity: float
    """The quantity for one order."""
    usd: float
    """The cost for one order."""
    decides: bool
    """Whether confirming or rejecting the order requires this item."""


@dataclass(frozen=True)
class Model:
    """The prices and assumptions with which bills are calculated."""

    prices: Mapping[str, Price]
    assumed: Mapping[str, Any]

    def bill(self, use: Use, design: Design) -> list[Line]:
        """Return the bill of one order that uses `use`, on a stack with the given design."""
        following = _FOLLOWING_AN_ANSWER if set(use.workflows) == {"express"} else _FOLLOWING
        return [
            Line(part, caller, price, quantity, quantity * self.prices[price].each, caller not in following)
            for part, caller, price, quantity in self._quantities(use, design)
        ]

    def monthly(self, design: Design) -> dict[str, float]:
        """Return {name of the price: monthly cost in USD} of a stack without any orders."""
        return {name: number * self.prices[name].each for name, number in self.monthly_quantities(design).items()}

    def monthly_quantities(self, design: Design) -> dict[str, float]:
        """Return {name of the price: monthly quantity} of a stack without any orders. Leaves out quantities of 0."""
        found = Counter[str]()
        for name, number in [*design.monthly.items(), *self._sweeps(design)]:
            found[name] += number  # pyright: ignore[reportArgumentType] - a Counter can count fractions
        return {name: number for name, number in found.items() if number}

    def _sweeps(self, design: Design) -> Iterator[tuple[str, float]]:
        """Yield the monthly quantities of the sweeps that find no late order."""
        if not design.sweep_s:
            return
        made, number = design.functions[_SWEEP], HOURS_OF_A_MONTH * 3600 / design.sweep_s
        seconds = number * self.seconds(_SWEEP, made.memory_mb)
        yield "lambda_request", number
        yield f"lambda_{made.architecture}_second", seconds * made.memory_mb / 1024
        yield "read_unit", number * len(LATE_SHARDS) * units(Access("query", "orders", 0), {}).reads
        if made.tells_success:
            yield "notification", number

    def _quantities(self, use: Use, design: Design) -> Iterator[tuple[str, str, str, float]]:
        yield "API", "api", "rest_request", 1
        if design.has_firewall:
            yield "API", "api", "waf_request", 1
        yield from self._functions(use, design)
        for caller, access in use.accesses:
            found: Units = units(access, design.projections)
            yield "reads", caller, "read_unit", found.reads
            yield "writes", caller, "write_unit", found.writes
        yield from self._marks(use, design)
        yield "streams", _RELAY, "stream_read", use.functions[_RELAY].invocations if _RELAY in use.functions else 0
        yield from self._messages(use, design)
        yield from self._workflows(use, design)
        yield from self._logs("api", use.access_log, design.access_log)
        if design.is_traced:
            roots = {"api": 1, **{name: use.functions[name].invocations for name in _ROOTS if name in use.functions}}
            for caller, number in roots.items():
                yield "traces", caller, "trace", number * (1 if design.is_traced_whole else self._sampled(number))
        yield "objects", _ANALYTICS, "object_put", use.of("PutObject")
        yield "mails", "send_email", "mail", use.of("SendEmail")

    def _functions(self, use: Use, design: Design) -> Iterator[tuple[str, str, str, float]]:
        for name, each in use.functions.items():
            made = design.functions[name]
            seconds = each.invocations * self.seconds(name, made.memory_mb)
            yield "functions", name, "lambda_request", each.invocations
            yield "functions", name, f"lambda_{made.architecture}_second", seconds * made.memory_mb / 1024
            if made.tells_success:
                yield "notifications", name, "notification", each.invocations
            yield from self._logs(name, each.log, made.log)

    def _marks(self, use: Use, design: Design) -> Iterator[tuple[str, str, str, float]]:
        """Yield what `mark_late_orders` costs for an order that is decided in time.

        Lambda collects stream records in a batch until they reach 6 MB or until the batching window ends. If a batch
        contains a new order but not yet its decision, the function adds the attribute `late_shard` to the order. The
        later decision removes the attribute.
        """
        decided = [access for _, access in use.accesses if access.table == "orders" and access.kind == "update"]
        if not decided or not design.sweep_s:
            return
        rate, made = self.assumed["orders_per_second"], design.functions[_MARK]
        batch = min(_PAYLOAD_BYTES / self.assumed["order_records_bytes"], rate * design.sweep_s)
        seconds = self.seconds(_MARK, made.memory_mb)
        marked = min(1, rate * self.assumed["decided_s"] / batch)
        mark = Access("update", "orders", decided[-1].size, marks=True)
        removed = 1
        yield "functions", _MARK, "lambda_request", 1 / batch
        yield "functions", _MARK, f"lambda_{made.architecture}_second", seconds / batch * made.memory_mb / 1024
        yield "streams", _MARK, "stream_read", 1 / batch
        yield "writes", _MARK, "write_unit", marked * (units(mark, design.projections).writes + removed)
        lines = 1 / batch * self.assumed["invocation_log_lines"] + marked
        yield from self._logs(_MARK, Lines(lines, lines * self.assumed["log_line_bytes"]), made.log)
        if design.is_traced:
            yield "traces", _MARK, "trace", 1 / batch

    def seconds(self, name: str, memory_mb: int) -> float:
        """Return the duration of an invocation in seconds.

        Half of the assumed duration at 256 MB is computing time, which is inversely proportional to the memory. The
        other half does not depend on the memory.
        """
        milliseconds = self.assumed["duration_ms"][name]
        return (milliseconds / 2 + milliseconds / 2 * 256 / memory_mb) / 1000

    def _messages(self, use: Use, design: Design) -> Iterator[tuple[str, str, str, float]]:
        yield "events", _RELAY, "event", sum(ceil(size / _EVENT_BYTES) for size in use.events)
        if design.has_archive:
            yield "events", _RELAY, "archived_gb", sum(use.events) / _GB
        for name, price in design.queues.items():
            consumed = use.functions[name].invocations if name in use.functions else 0
            # SQS bills one request for each event that the bus sends to the queue, and two requests for each batch that
            # Lambda processes: one to receive the batch and one to delete it.
            yield "queue", name, price, len(use.events) + 2 * consumed
        yield "notifications", "workflow", "notification", use.of("sns:publish")

    def _workflows(self, use: Use, design: Design) -> Iterator[tuple[str, str, str, float]]:
        for name, each in use.workflows.items():
            made = design.machines[name]
            if made.kind == "STANDARD":
                yield "transitions", name, "transition", each.transitions
            else:
                seconds = ceil(self.assumed["express_ms"] / _BILLED_MS) * _BILLED_MS / 1000
                memory_gb = self.assumed["express_memory_mb"] / 1024
                yield "transitions", name, "express_request", each.executions
                yield "transitions", name, "express_second", each.executions * seconds * memory_gb
            if made.log_level == "ALL":
                added = Lines(each.tasks, each.tasks * self.assumed["task_log_bytes"])
                yield from self._logs(name, Lines(each.log.lines + added.lines, each.log.bytes + added.bytes), made.log)

    def _logs(self, caller: str, written: Lines, log: Log) -> Iterator[tuple[str, str, str, float]]:
        gb = (written.bytes + written.lines * self.assumed["line_log_bytes"]) / _GB
        yield "logs", caller, "infrequent_log_gb" if log.is_infrequent else "log_gb", gb
        months = log.retention_days / _DAYS_OF_A_MONTH
        yield "logs", caller, "log_storage_gb_month", gb * self.assumed["log_storage_share"] * months

    def _sampled(self, number: int) -> float:
        """Return the share of requests that X-Ray traces in an API or function with `number` requests per order."""
        each_second = self.assumed["orders_per_second"] * number
        always = min(each_second, self.assumed["sampled_each_second"])
        return (always + (each_second - always) * self.assumed["sampled_share"]) / each_second


def by_part(lines: list[Line], orders: int) -> dict[str, float]:
    """Return {part: cost of `orders` orders in USD}."""
    return {part: orders * sum(line.usd for line in lines if line.part == part) for part in (*PARTS, *APART)}


def execution_log(lines: list[Line], use: Use, orders: int) -> float:
    """Return the cost of the execution logs of the workflows for `orders` orders, in USD."""
    return orders * sum(line.usd for line in lines if line.part == "logs" and line.caller in use.workflows)


def total(lines: list[Line], orders: int, *, decides: bool = False) -> float:
    """Return the cost of `orders` orders in USD, without S3 objects and emails.

    If `decides` is true, add up only the items that are required to confirm or reject the order.
    """
    return orders * sum(line.usd for line in lines if line.part not in APART and (line.decides or not decides))
