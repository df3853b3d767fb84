"""A language host for Python, which replaces pulumi-language-python as far as these tests need it.

The CLI starts this program with the engine's address as the last argument, reads the program's port from its standard
output, and connects to the port. If the virtual environment is missing, the Python in the environment variable
STAND_IN_BASE_PYTHON creates it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, language_pb2, language_pb2_grpc, plugin_pb2

from tests.engine.stand_in import plugin
from tests.engine.stand_in.program import SHOWN

PROGRAM: Final = Path(__file__).with_name("program.py")
CLI_VERSION: Final = "3.274.1"
_pb: Any = language_pb2
_grpc: Any = grpc
_engine: Any = engine_pb2
_engine_grpc: Any = engine_pb2_grpc


def _python(info: Any) -> str:
    """Return the path of the Python that runs the Pulumi program.

    This is the Python of the virtual environment in Pulumi.yaml. If Pulumi.yaml has none, it is the running Python.
    """
    options = json_format.MessageToDict(info.options) if info.HasField("options") else {}
    name = options.get("virtualenv")
    return str(Path(info.root_directory, name, "bin", "python")) if name else sys.executable


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """The service that a language host offers to the Pulumi CLI. Pulumi's protocol defines the names of the methods."""

    # ruff: noqa: N802, ARG002

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self.running: list[subprocess.Popen[bytes]] = []

    def Handshake(self, request: Any, context: Any) -> Any:
        self._engine = request.engine_address or self._engine
        return _pb.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=CLI_VERSION)

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        return _pb.GetRequiredPluginsResponse()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        for line in self._install(request.info):
            self._log(line)
        return _pb.GetRequiredPackagesResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return _pb.RuntimeOptionsResponse()

    def About(self, request: Any, context: Any) -> Any:
        return _pb.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        return _pb.GetProgramDependenciesResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        for line in self._install(request.info):
            yield _pb.InstallDependenciesResponse(stdout=f"{line}\n".encode())

    def Cancel(self, request: Any, context: Any) -> Any:
        self.end()
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:
        info = request.info
        command = [
            *(_python(info), "-u", str(PROGRAM), request.monitor_address, self._engine, request.project),
            *(request.stack, str(request.parallel), "true" if request.dryRun else "false", request.organization),
            *(info.root_directory, info.program_directory, info.entry_point or "."),
        ]
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        # PYTHONPATH contains the checkout of this plugin. Remove it, because the program must import the modules of its
        # own checkout.
        environment.pop("PYTHONPATH", None)
        process = subprocess.Popen(command, cwd="/", env=environment, stdout=sys.stderr, stderr=sys.stderr)
        self.running.append(process)
        code = process.wait()
        self.running.remove(process)
        if code == SHOWN:
            return _pb.RunResponse(bail=True)
        return _pb.RunResponse(error=f"Program exited with non-zero exit code: {code}" if code else "")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        info = request.info
        if request.kind == "analyzer":
            command = [_python(info), "-u", "-m", "pulumi.policy", *request.args, info.program_directory]
            folder = info.program_directory
        else:
            command, folder = [_python(info), "-u", info.program_directory, *request.args], request.pwd
        environment = dict(item.split("=", 1) for item in request.env) or dict(os.environ)
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.running.append(process)
        context.add_callback(process.terminate)
        yield from _output(process)
        yield _pb.RunPluginResponse(exitcode=process.wait())

    def end(self) -> None:
        """End all programs and plugins that this host has started."""
        for process in self.running:
            process.terminate()

    def _install(self, info: Any) -> Iterator[str]:
        """If the virtual environment is missing, create it from requirements.txt, as Pulumi's own host does.

        Yields progress messages for the user.
        """
        interpreter = _python(info)
        if Path(interpreter).exists():
            return
        yield "Creating virtual environment..."
        base = os.environ.get("STAND_IN_BASE_PYTHON", sys.executable)
        subprocess.run([base, "-m", "venv", str(Path(interpreter).parent.parent)], check=True)
        required = Path(info.program_directory or info.root_directory, "requirements.txt")
        if required.exists():
            yield "Installing dependencies in virtual environment..."
            pip = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(required)]
            done = subprocess.run(pip, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"pip install -r {required}: {done.stderr.strip()}")

    def _log(self, text: str) -> None:
        with _grpc.insecure_channel(self._engine) as channel:
            _engine_grpc.EngineStub(channel).Log(_engine.LogRequest(severity=_engine.INFO, message=text))


def _output(process: subprocess.Popen[bytes]) -> Iterator[Any]:
    """Yield each line of standard output and standard error of the process as soon as the process writes it."""
    written: list[Any] = []
    ready = threading.Condition()

    def pump(stream: IO[bytes], field: str) -> None:
        for line in stream:
            with ready:
                written.append(_pb.RunPluginResponse(**{field: line}))
                ready.notify()

    assert process.stdout
    assert process.stderr
    pumps = [
        threading.Thread(target=pump, args=pair, daemon=True)
        for pair in ((process.stdout, "stdout"), (process.stderr, "stderr"))
    ]
    for thread in pumps:
        thread.start()
    while any(thread.is_alive() for thread in pumps) or written:
        with ready:
            if not written:
                ready.wait(0.05)
            batch, written[:] = [*written], []
        yield from batch


def main() -> None:
    """Run the language host as a plugin of the Pulumi CLI."""
    host = Host(sys.argv[-1] if len(sys.argv) > 1 and not sys.argv[-1].startswith("-") else "")
    servicer: Any = language_pb2_grpc
    plugin.serve(lambda server: servicer.add_LanguageRuntimeServicer_to_server(host, server), host.end)


if __name__ == "__main__":
    main()
