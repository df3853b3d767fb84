"""Tests of `make frontend`: the content of each file that it writes, and the stack whose outputs it reads."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.instance import instance
from operations import frontend, stack_outputs
from tests.contracts.test_frontend_outputs import FRONTEND
from tests.support.graph import ROOT

PAGE = "orders-dev.auth.ap-northeast-1.amazoncognito.com"
OUTPUTS = {"frontend": FRONTEND, "ops": {"topic": "arn:aws:sns:x"}, "local": {"customer": {"password": "Aa1-secret"}}}


@pytest.fixture
def files() -> dict[str, str]:
    return frontend.files(FRONTEND, PAGE)


def parsed(files: dict[str, str], name: str) -> Any:
    return json.loads(files[name])


def test_frontend_json_equals_the_stack_output(files: dict[str, str]) -> None:
    assert parsed(files, "frontend.json") == FRONTEND


def test_openapi_files_are_copies_of_the_contracts(files: dict[str, str]) -> None:
    for name in ("rest-api.yaml", "http-api.yaml"):
        assert files[name] == (ROOT / "contracts" / name).read_text(encoding="utf-8")


def test_config_contains_the_urls_of_the_apis_and_of_oidc_discovery(files: dict[str, str]) -> None:
    config, auth = parsed(files, "config.json"), FRONTEND["auth"]
    # The TypeScript client expects the URLs in config.json under the same keys as in the stack output.
    for api in ("restApi", "httpApi"):
        assert config[api]["url"] == FRONTEND[api]["url"]
    assert config["oidc"]["authority"] == auth["issuer"]
    assert config["oidc"]["metadataUrl"] == auth["discoveryUrl"]
    assert config["userPoolEndpoint"] == "https://cognito-idp.ap-northeast-1.amazonaws.com/"


def test_amplify_outputs_contain_the_sign_in_page_of_the_stack(files: dict[str, str]) -> None:
    oauth, auth = parsed(files, "amplify_outputs.json")["auth"]["oauth"], FRONTEND["auth"]
    assert oauth["domain"] == PAGE
    assert (oauth["redirect_sign_in_uri"], oauth["redirect_sign_out_uri"]) == (auth["redirectUris"], auth["logoutUris"])


def test_each_vite_variable_is_on_its_own_line(files: dict[str, str]) -> None:
    lines = files[".env.local"].splitlines()
    assert f"VITE_REST_API_URL={FRONTEND['restApi']['url']}" in lines
    assert 'VITE_AUTH_SCOPE="openid email"' in lines
    assert all(line.startswith("VITE_") for line in lines)


def stub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let `make frontend` read OUTPUTS for every stack, and write below `tmp_path`.

    Return the folder with the written files.
    """

    def read(_stack: str, *, port: int) -> Any:
        return {**OUTPUTS, "port": port}

    monkeypatch.setattr(stack_outputs, "read", read)
    monkeypatch.setattr(frontend, "ROOT", tmp_path)
    (tmp_path / "contracts").symlink_to(ROOT / "contracts")
    return tmp_path / ".local"


def test_written_files_contain_no_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stub(monkeypatch, tmp_path) / "frontend-dev"
    assert frontend.main(["acme/dev"]) == 0
    written = sorted(folder.iterdir())
    assert [each.name for each in written] == sorted(frontend.files(FRONTEND, PAGE))
    said = capsys.readouterr().out.splitlines()
    assert sorted(Path(line).name for line in said) == [each.name for each in written]
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert not any(secret in text for secret in ("arn:", "Aa1-secret", '"ops"')), path.name


def test_stopped_emulator_is_reported_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], free_port: Any
) -> None:
    folder = stub(monkeypatch, tmp_path)
    port = free_port()
    assert frontend.main(["local", "--port", str(port)]) == 1
    assert f"`{instance(port).command('up')}` starts it" in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.parametrize(
    ("variables", "arguments"),
    [
        ((), "local --port 4566"),
        (("PORT=4711",), "local --port 4711"),
        (("STACK=prod",), "prod --port 4566"),
    ],
)
def test_make_frontend_uses_the_local_stack_unless_a_stack_is_given(variables: tuple[str, ...], arguments: str) -> None:
    command = ["make", "--dry-run", "--no-print-directory", "frontend", *variables]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert shown.splitlines()[-1].endswith(f"-m operations.frontend {arguments}")
