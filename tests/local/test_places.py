"""Tests of an instance's files, of the URLs in its outputs, and of the search for processes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pulumi

from local import addresses, archives, processes
from local.instance import ROOT, instance

HERE = instance(4566)


def test_default_port_uses_the_documented_directory() -> None:
    assert HERE.outputs == ROOT / ".local" / "outputs.json"
    assert instance(4567).outputs == ROOT / ".local" / "4567" / "outputs.json"


def test_aws_urls_are_replaced_by_local_urls_except_the_issuer() -> None:
    issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_POOL"
    exports = {
        "hosted": "https://orders-1.auth.eu-west-1.amazoncognito.com",
        "keys": [f"{issuer}/.well-known/jwks.json"],
        "issuer": issuer,
        "number": 1,
    }

    assert addresses.localize(exports, HERE) == {
        "hosted": "http://127.0.0.1:4566",
        "keys": ["http://127.0.0.1:4566/eu-west-1_POOL/.well-known/jwks.json"],
        "issuer": issuer,
        "number": 1,
    }


def test_archives_with_the_same_content_have_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1", encoding="utf-8")
    folder = archives.zip_bytes(pulumi.FileArchive(str(tmp_path)))
    made = archives.zip_bytes(pulumi.AssetArchive({"app.py": pulumi.StringAsset("x = 1")}))

    assert folder == made


def test_process_is_found_by_its_id() -> None:
    own = processes.find(os.getpid())

    assert own is not None
    assert own == processes.find(os.getpid())
    assert "pytest" in own.command or "python" in own.command


def test_stop_spares_a_process_that_reuses_the_id_of_an_ended_process() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        found = processes.find(process.pid)
        assert found
        processes.stop([replace(found, started="the start time of the ended process")])

        assert process.poll() is None
        process.communicate(b"\n")
        assert process.returncode == 0


def test_stop_kills_a_process_that_ignores_sigterm() -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout
        process.stdout.readline()
        found = processes.find(process.pid)
        assert found
        processes.stop([found], grace_s=0.2)

        assert process.wait() == -9
