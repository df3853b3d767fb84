"""Where instances keep things, what their outputs say, and how processes are told apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pulumi

from local import addresses, archives, processes
from local.instance import ROOT, instance

HERE = instance(4566)


def test_the_default_port_has_the_place_that_frontends_know() -> None:
    assert HERE.outputs == ROOT / ".local" / "outputs.json"
    assert instance(4567).outputs == ROOT / ".local" / "4567" / "outputs.json"


def test_addresses_of_aws_become_the_emulators_and_the_issuer_stays() -> None:
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


def test_an_archive_is_the_same_bytes_for_the_same_content(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1", encoding="utf-8")
    folder = archives.zip_bytes(pulumi.FileArchive(str(tmp_path)))
    made = archives.zip_bytes(pulumi.AssetArchive({"app.py": pulumi.StringAsset("x = 1")}))

    assert folder == made


def test_a_process_is_found_by_its_number_and_its_start() -> None:
    own = processes.find(os.getpid())

    assert own is not None
    assert own == processes.find(os.getpid())
    assert "pytest" in own.command or "python" in own.command


def test_stopping_ends_what_ignores_the_first_signal() -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout
        process.stdout.readline()
        found = processes.find(process.pid)
        assert found
        processes.stop([found], grace_s=0.2)

        assert process.wait() == -9
