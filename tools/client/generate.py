"""Writes the generated modules of the TypeScript client. `make client` runs `python -m tools.client.generate`.

Node.js generates the types, the error codes and the validators from contracts/*.yaml. Python writes the tables that
come from Python modules: the decimal digits of each currency and the HTTP status of each error code.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from components.aws import openapi
from contracts.orders import HTTP_STATUS
from shared.domain import money

PACKAGE: Final = Path(__file__).resolve().parents[2] / "clients" / "typescript"
GENERATED: Final = PACKAGE / "src" / "generated"
NODE: Final = Path(sys.prefix) / "bin" / "node"


def allowed_currencies() -> list[str]:
    """Return the currencies that a product can have, from contracts/http-api.yaml."""
    allowed: list[str] = openapi.load("http-api.yaml")["components"]["schemas"]["ActiveCurrency"]["enum"]
    return allowed


def currencies() -> str:
    """Return the TypeScript module with the number of digits of each allowed currency."""
    rows = "".join(f"  {currency}: {money.decimals(currency)},\n" for currency in allowed_currencies())
    return (
        "// Generated from contracts/ and functions/shared/domain/money.py by `make client`. Do not edit.\n\n"
        "/** How many digits the minor unit of each allowed currency has by ISO 4217. */\n"
        f"export const DIGITS = {{\n{rows}}} as const;\n\n"
        "/** A currency that a product can have. */\nexport type Currency = keyof typeof DIGITS;\n"
    )


def statuses() -> str:
    """Return the TypeScript module with the HTTP status of each error code."""
    rows = "".join(f"  {code}: {status},\n" for code, status in HTTP_STATUS.items())
    return (
        "// Generated from contracts/orders.py by `make client`. Do not edit.\n\n"
        f"/** The HTTP status of each error code. */\nexport const HTTP_STATUS = {{\n{rows}}} as const;\n"
    )


def write(folder: Path) -> None:
    """Write every generated module into `folder`."""
    command = [str(NODE), "scripts/generate.mjs", str(folder)]
    subprocess.run(command, cwd=PACKAGE, check=True)  # noqa: S603 - the command is constant
    (folder / "currencies.ts").write_text(currencies(), encoding="utf-8")
    (folder / "statuses.ts").write_text(statuses(), encoding="utf-8")


if __name__ == "__main__":
    write(GENERATED)
    sys.stdout.write(f"{GENERATED.relative_to(PACKAGE.parents[1])}\n")
