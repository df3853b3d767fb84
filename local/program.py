"""Runs the Pulumi program, and creates or updates each resource in the emulator when the program registers it."""

from __future__ import annotations

import logging
import os
import re
import runpy
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pulumi

from engine import program as engine
from local.aws import Aws
from local.deployment import Deployment, Resource
from local.errors import LocalError
from local.progress import Progress
from local.project import STACK, Project

_RUNNER: Final = re.compile("/(local|engine)/")


class _Deployer:
    """Deploys to the emulator each resource that the program registers."""

    def __init__(self, aws: Aws, deployment: Deployment, progress: Progress) -> None:
        self.account, self.region = aws.account, aws.region
        self._deployment, self._progress = deployment, progress
        self._component: dict[str, str] = {}

    def register(self, registration: engine.Registration) -> tuple[str, Mapping[str, Any]]:
        # The progress report groups resources by their outermost component.
        outermost = self._component.get(registration.parent) or registration.name
        component = self._component.setdefault(registration.urn, outermost)
        if not registration.custom:
            return "", {}
        if registration.type.startswith("pulumi:"):
            return registration.name, {}
        resource = Resource(
            urn=registration.urn,
            type=registration.type,
            name=registration.name,
            inputs=dict(registration.inputs),
            dependencies=tuple(sorted(registration.dependencies)),
        )
        with self._progress.resource(component) as done:
            identity, properties, action = self._deployment.apply(resource)
            done(action)
        return identity, properties

    def register_outputs(self, urn: str) -> None:
        """Do nothing, because the local platform stores only the outputs of the stack, not those of its components."""


def run(project: Project, aws: Aws, deployment: Deployment, progress: Progress) -> dict[str, Any]:
    """Run the program to its end, and return its exports.

    Raises LocalError if a resource could not be deployed or the program itself failed.
    """

    def program() -> None:
        runpy.run_path(str(project.program), run_name="__main__")

    stack = engine.Stack(project=project.name, name=STACK, config=project.config)
    before = Path.cwd()
    os.chdir(project.root)
    sys.path.insert(0, str(project.root))
    try:
        return engine.run(program, stack, _Deployer(aws, deployment, progress), _words(progress))
    except BaseException as error:
        if deployment.failures:
            raise deployment.failures[0] from None
        if isinstance(error, (KeyboardInterrupt, LocalError, OSError)):
            raise
        raise program_error(project, error) from error
    finally:
        sys.path.remove(str(project.root))
        os.chdir(before)


def _words(progress: Progress) -> logging.Logger:
    """Return a logger that prints the messages that the program logs with pulumi.log."""

    class Said(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            progress.say(f"  {record.getMessage()}")

    logger = logging.getLogger("local.program")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [Said()]
    return logger


def program_error(project: Project, error: BaseException) -> LocalError:
    """Return the error to report when the program fails with `error`.

    The message has one line. The messages of pulumi.RunError and EngineError stay unchanged, because these are written
    for the user of the program.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if str(project.root) in frame.filename]
    own = [frame for frame in frames if "/.venv/" not in frame.filename and not _RUNNER.search(frame.filename)]
    where = f" ({os.path.relpath(own[-1].filename, project.root)}:{own[-1].lineno})" if own else ""
    if isinstance(error, (pulumi.RunError, engine.EngineError)):
        # Return the message unchanged. It was written for the person who runs the program, for example about an invalid
        # setting.
        return LocalError(str(error))
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return LocalError(f"the program failed{where}: {words}")
