"""The real functions and the real workflow follow a model of the order's lifecycle in every step.

Each function and execution stops before each of its AWS calls. Hypothesis decides which function or execution
continues, what happens to the call, which process dies, and when each event is delivered. The model (history.py,
answers.py) checks every change, event and response.

`test_order_life_attack_finds_each_introduced_defect` proves that the attack works. The attack found two real defects in
earlier versions. Orders were confirmed at outdated prices. If an order was confirmed and cancelled at the same moment,
the time of the cancellation was earlier than that of the confirmation.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.order_life.breakages import BREAKAGES
from tests.proof.order_life.history import User
from tests.proof.order_life.machine import OrderLifeInProcess
from tests.proof.order_life.stepped import SteppedPlatform, stepped_platforms
from tests.proof.plugin import Dose, Proof

pytestmark = [pytest.mark.attack("order-life")]

USERS: Final = [
    User("Ann", "00000000-0000-4000-8000-00000000000a", "ann@example.com"),
    User("Ben", "00000000-0000-4000-8000-00000000000b", "ben@example.com"),
    User("Cem without a profile", "00000000-0000-4000-8000-00000000000c"),
    User("the admin", "00000000-0000-4000-8000-00000000000d", is_admin=True),
]
# Disable these health checks of Hypothesis, because they report long runs of different lengths, which are normal in
# this test.
_SLOW: Final = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
# `make test` introduces only these defects, because the test finds them in a short run.
_SMALL: Final = ("confirmed in two writes", "users share idempotency keys", "a page omits an order")


def machine(make: Callable[[Any], SteppedPlatform], made: list[SteppedPlatform]) -> type[OrderLifeInProcess]:
    """Return a state machine of Hypothesis that creates a platform with `make` for each run.

    The state machine adds each platform to the list `made`.
    """

    class Life(OrderLifeInProcess):
        users = USERS

        def make(self) -> SteppedPlatform:
            made.append(make({user.user_id: user for user in USERS}))
            return made[-1]

    return Life


def run(life: type[OrderLifeInProcess], runs: int, steps: int, *, explore: bool = False, **more: Any) -> None:
    """Run the state machine `runs` times. The runs are always the same, unless `explore` is true.

    With `explore`, each call creates new random runs, and a failure shows their seed.
    """
    chosen = settings(
        max_examples=runs,
        stateful_step_count=steps + 1,  # One step is added, because the first step is always `start`.
        deadline=None,
        derandomize=not explore,
        database=None,
        print_blob=True,
        suppress_health_check=_SLOW,
        **more,
    )
    if not explore:
        run_state_machine_as_test(life, settings=chosen, _min_steps=steps + 1)
        return
    number = random.SystemRandom().getrandbits(32)
    try:
        run_state_machine_as_test(seed(number)(life), settings=chosen, _min_steps=steps + 1)
    except BaseException as error:
        error.add_note(f"hypothesis.seed({number}) repeats this run")
        raise


@pytest.mark.timeout(900)
def test_orders_follow_the_lifecycle_model_despite_random_faults(dose: Dose, proof: Proof) -> None:
    made: list[SteppedPlatform] = []
    runs, steps = dose(25, 500), dose(20, 30)
    with stepped_platforms() as make:
        run(machine(make, made), runs, steps, explore=dose.full)
    found, faults = Counter[str](), Counter[str]()
    for platform in made:
        faults.update(platform.faults)
        found.update(tracked.status.lower() for tracked in platform.history.tracked_orders.values())
    proof.tried(
        runs=sum(platform.compared > steps for platform in made), steps=sum(platform.compared for platform in made)
    )
    proof.tried(orders=found.total(), faults=faults.total())
    proof.tried(
        requests=sum(len(platform.answers.calls) for platform in made), calls_decided=sum(w.steps for w in made)
    )
    proof.found(**found)
    assert sum(platform.compared > steps for platform in made) >= runs
    assert found["confirmed"]
    assert faults.total()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in _SMALL else pytest.mark.full) for name in BREAKAGES]
)
def test_order_life_attack_finds_each_introduced_defect(
    name: str, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate = BREAKAGES[name](monkeypatch)
    with stepped_platforms(mutate) as make, pytest.raises(AssertionError):
        run(machine(make, []), 1000, 30, phases=[Phase.generate], report_multiple_bugs=False, verbosity=Verbosity.quiet)
    proof.found(defects_found=1)
