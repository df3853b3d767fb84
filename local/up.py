"""`make up` starts the emulator, deploys the program and creates the seeds, or updates what exists."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from cli.signals import on_signal
from local import addresses, emulator, project, seeds
from local.aws import Aws, CallError
from local.deployment import Deployment
from local.errors import LocalError
from local.instance import DamagedError, Instance, read_outputs, write_private
from local.progress import Progress
from local.state import State, forget

# The region of the local stack if the settings have no `aws:region`. In this case, Pulumi's AWS provider would use the
# region in this machine's AWS configuration. A fixed region makes the local stack the same on every machine.
_DEFAULT_REGION: Final = "us-east-1"


def up(instance: Instance, source: project.Project, progress: Progress, *, owner: int | None = None) -> dict[str, Any]:
    """Deploy the program to `instance`, and return the content of .local/outputs.json.

    If this command starts the emulator and deploys at least one resource, the emulator keeps running after the command.
    With `owner`, the emulator ends when its owner process ends (see local.owner). Without `owner`, it runs until
    somebody stops it. If the program has no output `frontend`, it is not the platform, so this function creates no
    seeds. Raises LocalError.
    """
    region = source.config.get("aws:region", _DEFAULT_REGION)
    started = _require_emulator(instance, region, progress, owner)
    with on_signal(lambda: _discard(instance, started)):
        try:
            outputs = _up(instance, region, source, started, progress)
            if started:
                started.release()
        except (LocalError, CallError):
            if started:
                # The deployment failed. Let the emulator keep running with the resources that were deployed before the
                # failure. The next `make up` continues from there.
                started.release()
            raise
        except Exception:
            # The operating system reported an error, for example because the disk is full. If this command started the
            # emulator, stop it and delete its data.
            _discard(instance, started)
            raise
    return outputs


def _up(
    instance: Instance, region: str, source: project.Project, started: emulator.Started | None, progress: Progress
) -> dict[str, Any]:
    # Import the module here, because the import is slow and the emulator starts in the meantime.
    program = importlib.import_module("local.program")
    if started:
        with progress.step("emulator") as note:
            started.wait()
            note(f"ministack at {instance.url}, region {region}")
    aws, state = Aws(instance, region), State(instance)
    try:
        exports = _deploy(lambda deployment: program.run(source, aws, deployment, progress), aws, state, progress)
        return _finish(aws, exports, progress)
    except BaseException:
        if not state.records:
            # No resource is deployed, for example because a setting is invalid. Stop the emulator, because it contains
            # nothing to keep.
            if started:
                _discard(instance, started)
            else:
                emulator.stop(instance)
                forget(instance)
        raise


def _finish(aws: Aws, exports: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Create the seeds, and write the stack outputs to .local/outputs.json."""
    instance = aws.instance
    outputs: dict[str, Any] = addresses.localize(exports, instance)
    known = known_output(instance)
    outputs["local"] = {"endpointUrl": instance.url, **known}
    if "frontend" in outputs:
        with progress.step("sample data") as note:
            note(f"2 sign-ins, 1 profile, {len(seeds.PRODUCTS)} products")
            outputs["local"] = seeds.plant(aws, outputs, known)
    write_private(instance.outputs, outputs)
    return outputs


def known_output(instance: Instance) -> dict[str, Any]:
    """Return the output `local` of the last `make up`, with the passwords of the seeded users, or an empty mapping."""
    try:
        return (read_outputs(instance) or {}).get("local", {})
    except DamagedError:
        return {}


def counts(actions: Counter[str]) -> str:
    """Return the number of each action as text, for example `3 updated, 140 same`."""
    order = ("created", "updated", "replaced", "deleted", "same")
    return ", ".join(f"{actions[action]} {action}" for action in order if actions[action])


def _discard(instance: Instance, started: emulator.Started | None) -> None:
    """If this command started the emulator, end the emulator, and delete its data and its recorded state.

    An emulator that was already running stays.
    """
    if started and started.discard():
        forget(instance)


def _require_emulator(
    instance: Instance, region: str, progress: Progress, owner: int | None
) -> emulator.Started | None:
    """Start an emulator and return it, or return None if the instance already has a working emulator."""
    found = emulator.find(instance)
    if found.state == "running" and not found.abandoned:
        if found.record.get("region", region) != region:
            other = emulator.free_port(instance.port)
            raise LocalError(
                f"the instance at {instance.url} runs in region {found.record['region']}, "
                f"but the configuration says {region}. "
                f"Remedy: keep this instance and start another one with `make up PORT={other}`, or {instance.anew}"
            )
        if not emulator.answers(instance):
            raise LocalError(
                f"the emulator (process {found.record['pid']}) does not respond at {instance.url}; see {instance.log}. "
                f"Remedy: wait a minute and repeat `{instance.command('up')}`; if that doesn't help, {instance.anew}"
            )
        if emulator.outdated(found):
            progress.say(f"The emulator's source files changed after its start. To use them: {instance.anew}")
        return None
    if found.abandoned:
        progress.say("The first deployment was killed before it completed. Starting again.")
    elif found.state == "died":
        progress.say(f"The emulator had stopped unexpectedly (see {instance.log}). Starting again without its data.")
    emulator.stop(instance)
    forget(instance)
    return emulator.start(instance, region=region, owner=owner)


def _deploy(run: Callable[[Deployment], dict[str, Any]], aws: Aws, state: State, progress: Progress) -> dict[str, Any]:
    deployment = Deployment(aws, state)
    try:
        exports = run(deployment)
        gone = deployment.delete_rest()
        state.complete()
    finally:
        deployment.settle()
        actions = progress.components()
    actions["deleted"] = len(gone)
    progress.say(f"  {'resources':<16} {counts(actions)}")
    return exports
