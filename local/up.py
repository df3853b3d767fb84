"""`make up`: the emulator, the program, the seeds; when they are there already, only what changed."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from local import addresses, emulator, project, seeds
from local.aws import Aws, CallError
from local.deployment import Deployment
from local.errors import LocalError
from local.instance import DamagedError, Instance, read_outputs, write_private
from local.progress import Progress
from local.state import State

# What Pulumi's AWS provider does without `aws:region` is up to the machine's own configuration.
_DEFAULT_REGION: Final = "us-east-1"


def up(instance: Instance, source: project.Project, progress: Progress) -> dict[str, Any]:
    """Bring `instance` to what the program wants; returns what .local/outputs.json then holds.

    A program that is not the platform (it exports no `frontend`) is deployed without seeds. Raises LocalError.
    """
    region = source.config.get("aws:region", _DEFAULT_REGION)
    starting = _require_emulator(instance, region, progress)
    try:
        return _up(instance, region, source, starting, progress)
    except (LocalError, CallError):
        raise
    except Exception:
        # The machine refused something. An instance that this command made is of no use, and holds nothing yet.
        if starting:
            _discard(instance)
        raise


def _up(
    instance: Instance,
    region: str,
    source: project.Project,
    starting: Callable[[], float] | None,
    progress: Progress,
) -> dict[str, Any]:
    # Slow to import, so it happens while the emulator starts.
    program = importlib.import_module("local.program")
    if starting:
        with progress.step("emulator") as note:
            starting()
            note(f"ministack at {instance.url}, region {region}")
    aws, state = Aws(instance, region), State(instance)
    try:
        exports = _deploy(lambda deployment: program.run(source, aws, deployment, progress), aws, state, progress)
    except BaseException:
        if not state.records:
            # A wrong setting, say: nothing was made, and nothing is left running.
            _discard(instance)
        raise
    outputs: dict[str, Any] = addresses.localize(exports, instance)
    known = known_output(instance)
    outputs["local"] = {"endpointUrl": instance.url, **known}
    if "frontend" in outputs:
        with progress.step("seeds") as note:
            note(f"2 sign-ins, 1 profile, {len(seeds.PRODUCTS)} products")
            outputs["local"] = seeds.plant(aws, outputs, known)
    write_private(instance.outputs, outputs)
    return outputs


def known_output(instance: Instance) -> dict[str, Any]:
    """Return what the last `make up` gave as output `local`; seeds without it get new passwords."""
    try:
        return (read_outputs(instance) or {}).get("local", {})
    except DamagedError:
        return {}


def counts(actions: Counter[str]) -> str:
    """Return what was done in words: 3 updated, 140 same."""
    order = ("created", "updated", "replaced", "deleted", "same")
    return ", ".join(f"{actions[action]} {action}" for action in order if actions[action])


def _require_emulator(instance: Instance, region: str, progress: Progress) -> Callable[[], float] | None:
    """Start an emulator unless the instance has one that is well; returns what waits for it."""
    found = emulator.find(instance)
    if found.state == "running":
        if found.record.get("region", region) != region:
            other = emulator.free_port(instance.port)
            raise LocalError(
                f"the instance at {instance.url} runs in {found.record['region']}; the configuration says {region}. "
                f"Remedy: keep it and run another one, `make up PORT={other}`, or {instance.anew}"
            )
        if State(instance).interrupted:
            progress.say("The last deployment was killed half way: starting anew. What was in the instance is gone.")
        elif emulator.answers(instance):
            if emulator.outdated(found):
                progress.say(f"The emulator's corrections changed since it was started; to have them: {instance.anew}")
            return None
        else:
            raise LocalError(
                f"the emulator (process {found.record['pid']}) does not answer at {instance.url} ({instance.log}). "
                f"Remedy: wait a minute and repeat `{instance.command('up')}`; if that doesn't help, {instance.anew}"
            )
    if found.state == "died":
        progress.say(f"The emulator of this instance had ended (see {instance.log}): starting anew, without its data.")
    _discard(instance)
    return emulator.start(instance, region=region)


def _discard(instance: Instance) -> None:
    emulator.stop(instance)
    for left in (instance.state, instance.outputs):
        left.unlink(missing_ok=True)


def _deploy(run: Callable[[Deployment], dict[str, Any]], aws: Aws, state: State, progress: Progress) -> dict[str, Any]:
    deployment = Deployment(aws, state)
    state.save(deploying=True)
    try:
        exports = run(deployment)
        gone = deployment.delete_rest()
    finally:
        deployment.settle()
        actions = progress.components()
        state.save(deploying=False)
    actions["deleted"] = len(gone)
    progress.say(f"  {'resources':<16} {counts(actions)}")
    return exports
