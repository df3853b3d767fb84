"""Tests that the local platform reads Pulumi's files like the Pulumi CLI, or refuses them with a one-line message."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import pytest
import yaml
from hypothesis import HealthCheck, example, given
from hypothesis import settings as limits
from hypothesis import strategies as st

import settings
from local import project
from local.errors import LocalError
from tests.support.graph import ROOT

CASES: Final[dict[str, list[dict[str, Any]]]] = json.loads(
    (ROOT / "tests" / "local" / "pulumi_yaml_cases.json").read_text(encoding="utf-8")
)
PROJECT: Final = b"name: orders\nruntime: python\n"
_STACK_FILE: Final = (ROOT / "Pulumi.local.yaml").read_bytes()
_FEW: Final = limits(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def load(folder: Path, stack_file: bytes, project_file: bytes = PROJECT) -> dict[str, str]:
    (folder / "Pulumi.yaml").write_bytes(project_file)
    (folder / "Pulumi.local.yaml").write_bytes(stack_file)
    return project.load(folder).config


def parsed(config: dict[str, str]) -> dict[str, Any]:
    """Return the configuration with lists and objects parsed from JSON. Other values remain strings."""
    return {key: json.loads(text) if text[:1] in ("[", "{") else text for key, text in config.items()}


def judge(case: dict[str, Any], attempt: Callable[[], Any]) -> None:
    if "both" in case:
        found = attempt()
        assert json.dumps(found, sort_keys=True) == json.dumps(case["both"], sort_keys=True)
        return
    with pytest.raises(LocalError) as error:
        attempt()
    text = str(error.value)
    assert text.startswith("Pulumi."), text
    assert text.isprintable(), text


@pytest.mark.parametrize("case", CASES["values"], ids=lambda case: ascii(case["yaml"]))
def test_configuration_value_is_read_as_the_cli_reads_it_or_refused(case: dict[str, Any], tmp_path: Path) -> None:
    stack_file = f"config:\n  orders:a:\n  - {case['yaml']}\n".encode()

    def attempt() -> Any:
        (value,) = json.loads(load(tmp_path, stack_file)["orders:a"])
        return value

    judge(case, attempt)


@pytest.mark.parametrize("case", CASES["documents"], ids=lambda case: case["name"])
def test_stack_file_is_read_as_the_cli_reads_it_or_refused(case: dict[str, Any], tmp_path: Path) -> None:
    judge(case, lambda: parsed(load(tmp_path, case["bytes"].encode("latin-1"))))


@pytest.mark.parametrize("case", CASES["projects"], ids=lambda case: case["name"])
def test_project_file_is_read_as_the_cli_reads_it_or_refused(case: dict[str, Any], tmp_path: Path) -> None:
    judge(case, lambda: parsed(load(tmp_path, b"config:\n  orders:s: 1\n", case["project"].encode())))


@pytest.mark.parametrize(
    ("stack_file", "said"),
    [
        (
            b"config:\n  orders:api:\n    throttleRate: 2026-01-01\n",
            "Pulumi.local.yaml:3: orders:api.throttleRate: got 2026-01-01; allowed: a number, true, false or a string;",
        ),
        (
            b"config:\n  orders:api: 1\n  orders:api: 2\n",
            "Pulumi.local.yaml:3: orders:api: got the key twice; allowed: each key once; remove one of them",
        ),
        (
            b"config:\n  orders:mail:\n    sender: {secure: AAAB}\n",
            "Pulumi.local.yaml:3: orders:mail.sender: got a secret; allowed: plain values, because only the Pulumi CLI",
        ),
        (
            b"config: {a: !!python/object:os.system x}\n",
            "Pulumi.local.yaml:1: a: got the tag 'tag:yaml.org,2002:python/object:os.system'; allowed: values without ",
        ),
        (
            b"config:\n  aws:region: [eu-west-1]\n",
            "Pulumi.local.yaml: aws:region: got '[\"eu-west-1\"]'; allowed: an AWS ",
        ),
        (b"config:\n  aws:region:\n", "Pulumi.local.yaml: aws:region: got ''; allowed: an AWS region such as "),
        (
            b"config:\n  a: [\n",
            "Pulumi.local.yaml:3: invalid YAML: while parsing a flow node, expected the node content, ",
        ),
    ],
    ids=("date", "twice", "secret", "tag", "region", "no region", "syntax"),
)
def test_message_contains_file_line_key_and_allowed_values(stack_file: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(LocalError) as error:
        load(tmp_path, stack_file)
    assert str(error.value).startswith(said)


def make_directory(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_nothing(path: Path) -> None:
    del path


@pytest.mark.parametrize("make", [make_directory, make_loop, make_nothing])
@pytest.mark.parametrize("name", ["Pulumi.yaml", "Pulumi.local.yaml"])
def test_file_that_cannot_be_opened_is_reported(name: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    load(tmp_path, b"")
    (tmp_path / name).unlink()
    make(tmp_path / name)
    with pytest.raises(LocalError) as error:
        project.load(tmp_path)
    assert str(error.value).startswith(f"{name}: ")
    assert str(error.value).endswith(f"; restore the file {tmp_path / name}")


def problems(folder: Path, stack_file: bytes) -> list[str]:
    """Return the problems of a stack file, one line for each, or [] if its settings are valid."""
    try:
        settings.check("orders", "local", load(folder, stack_file))
    except LocalError as error:
        return [str(error)]
    except settings.SettingsError as error:
        return str(error).split("\n")[1:]
    return []


def outcome(folder: Path, stack_file: bytes) -> None:
    """Check the stack file. Fails if the message about a problem is longer than one line."""
    found = problems(folder, stack_file)
    assert all(line.isprintable() for line in found), found


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(dt.UTC))
    | st.sampled_from(("on", "0o17", "010", "1_000", "12:30:45", "2026-01-01", "~", "<<", "=", "1e3", ".inf"))
)
_KEYS = _SCALARS | st.tuples(st.integers(), st.text())
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(_KEYS, inner, max_size=4)
        | st.sets(_SCALARS, max_size=3)
    ),
    max_leaves=10,
)
_PLACES = st.sampled_from(
    (
        (),
        ("config",),
        ("environment",),
        ("encryptionsalt",),
        ("config", "aws:region"),
        ("config", "orders:api"),
        ("config", "orders:api", "throttleRate"),
        ("config", "orders:api", "corsOrigins"),
        ("config", "orders:functions", "provisionedConcurrency"),
        ("config", "orders:functions", "provisionedConcurrency", "send_email"),
        ("config", "orders:mail", "sender"),
        ("config", "orders:new"),
    )
)
_STYLES = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from((True, False, None)),
        "canonical": st.booleans(),
        "allow_unicode": st.booleans(),
        "explicit_start": st.booleans(),
        "version": st.sampled_from((None, (1, 1), (1, 2))),
    }
)
_ENCODINGS = st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "utf-7"))


@_FEW
@given(place=_PLACES, value=_VALUES, style=_STYLES, encoding=_ENCODINGS)
@example(place=("config", "orders:api", "throttleRate"), value=dt.date(2026, 1, 1), style={}, encoding="utf-8")
@example(place=("config", "orders:mail", "sender"), value="é", style={"allow_unicode": True}, encoding="latin-1")
@example(place=("config", "orders:api", "throttleRate"), value=math.nan, style={}, encoding="utf-8")
@example(place=("config", "orders:api", "throttleRate"), value=b"\xff", style={}, encoding="utf-16")
def test_stack_file_with_any_value_and_encoding_is_accepted_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory,
    place: tuple[str, ...],
    value: Any,
    style: dict[str, Any],
    encoding: str,
) -> None:
    document: Any = yaml.safe_load(_STACK_FILE)
    if place:
        *parents, last = place
        inner = document
        for part in parents:
            inner = inner[part]
        inner[last] = value
    else:
        document = value
    text = cast("str", yaml.dump(document, **style))
    outcome(
        tmp_path_factory.getbasetemp(),
        text.encode(encoding, errors="surrogatepass" if "utf" in encoding else "replace"),
    )


@_FEW
@given(
    at=st.integers(0, len(_STACK_FILE)),
    gone=st.integers(0, 20),
    put=st.binary(max_size=6)
    | st.sampled_from((b"\t", b"\r", b"\0", b"&a ", b"*a", b"!", b"<<: ", b"---\n", b"? ", b": ")),
)
def test_damaged_stack_file_is_accepted_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, at: int, gone: int, put: bytes
) -> None:
    outcome(tmp_path_factory.getbasetemp(), _STACK_FILE[:at] + put + _STACK_FILE[at + gone :])


@_FEW
@given(
    stack_file=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
@example(stack_file=b"[" * 700)
@example(stack_file=b"a: " + b"&a [" * 2000)
@example(stack_file=b"- " * 3000)
def test_stack_file_of_random_bytes_is_accepted_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, stack_file: bytes
) -> None:
    outcome(tmp_path_factory.getbasetemp(), stack_file)
