"""A Parallel state stops at its first failed branch, and its JSONata fields have an effect.

Emulator: The emulator waits for all branches even if one of them has failed. It lets branches change the variables of
    the outer scope, and ignores `Arguments`, `Output` and `Assign` of a Parallel state in JSONata.
AWS: Step Functions stops the other branches at the first failure, gives each branch its own copy of the variables, and
    applies the three fields.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
Source: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
Upstream: report as a bug.
"""

from __future__ import annotations

import contextvars
import copy
import queue
import threading
from typing import Any

from emulator_fixes import internal, replaces
from emulator_fixes.workflow_stop import Stop, StoppedError, stopping

_states: Any = internal("services.stepfunctions")


@replaces("services.stepfunctions._run_parallel_branches", "b8c7f6915297")
def run_parallel_branches(
    original: Any, state: Any, data: Any, execution: Any, context: dict[str, Any]
) -> tuple[Any, str | None]:
    """Run the branches concurrently. The first failure stops the other branches and becomes the state's error."""
    del original
    jsonata = _states._state_query_language(state, context) == "JSONata"
    if jsonata:
        given = _states._apply_jsonata_arguments(state, data, context)
    else:
        given = _states._apply_parameters(state, _states._apply_input_path(state, data, context), context)
    results = _run_all(state["Branches"], given, execution, context)
    following = _states._next_or_end(state)
    if jsonata:
        output = _states._apply_jsonata_output(state, data, context, result=results, default=results)
        _states._apply_state_assign(state, data, context, result=results)
        return output, following
    output = _states._apply_result_path(state, data, _states._apply_result_selector(state, results))
    return _states._apply_output_path(state, output, context), following


def _run_all(branches: list[Any], given: Any, execution: Any, context: dict[str, Any]) -> list[Any]:
    stop = Stop(stopping.get())
    ended: queue.Queue[tuple[int, Any, Exception | None]] = queue.Queue()

    def run(index: int, branch: Any) -> None:
        stopping.set(stop)
        # A branch can read the variables of the surrounding states, so it gets a copy of them. Variables that the
        # branch sets are visible only inside the branch.
        own = {**context, "variables": dict(context.get("variables", {}))}
        try:
            result = _states._run_sub_machine(branch["States"], branch["StartAt"], copy.deepcopy(given), execution, own)
        except Exception as error:  # noqa: BLE001 - the thread of the state raises the error again
            ended.put((index, None, error))
        else:
            ended.put((index, result, None))

    for index, branch in enumerate(branches):
        threading.Thread(target=contextvars.copy_context().run, args=(run, index, branch), daemon=True).start()
    results: list[Any] = [None] * len(branches)
    for _ in branches:
        index, results_of_one, error = ended.get()
        if error is not None:
            stop.set()
            if isinstance(error, (StoppedError, _states._ExecutionError)):
                raise error
            raise _states._ExecutionError("States.BranchFailed", str(error))
        results[index] = results_of_one
    return results
