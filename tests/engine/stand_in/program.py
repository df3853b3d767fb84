"""Runs a Pulumi program in a new Python process and in the program's folder, like Pulumi's language host for Python.

Arguments: address of the resource monitor, address of the engine, project, stack, parallelism, whether the run is a
preview, organization, root directory, program directory, entry point.
"""

from __future__ import annotations

import asyncio
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

# Exit code of a program that has already printed its error. After this exit code, Pulumi prints no second error.
SHOWN: Final = 32


def main(arguments: list[str]) -> int:
    """Run the Pulumi program with the arguments of this module, and return its exit code."""
    monitor, engine, project, stack, parallel, preview, organization, root, directory, entry = arguments
    # Python adds the folder of this file to the import path. Remove it, because the Pulumi program must not import the
    # modules of this folder.
    sys.path[0] = ""
    import grpc  # noqa: PLC0415 - after sys.path is that of the program
    import pulumi  # noqa: PLC0415
    from pulumi import runtime  # noqa: PLC0415
    from pulumi.errors import RunError  # noqa: PLC0415

    pulumi_runtime: Any = runtime
    pulumi_runtime.set_all_config(pulumi_runtime.get_config_env(), pulumi_runtime.get_config_secret_keys_env())
    pulumi_runtime.configure(
        pulumi_runtime.Settings(
            monitor=monitor,
            engine=engine,
            project=project,
            stack=stack,
            parallel=int(parallel),
            dry_run=preview == "true",
            organization=organization,
            root_directory=root,
        )
    )
    sys.path.pop(0)
    os.chdir(directory)
    target = directory if entry == "." else os.path.join(directory, entry)  # noqa: PTH118 - as the host writes it
    sys.argv = [target]
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(int(parallel), 1) * 4))
    try:
        loop.run_until_complete(pulumi_runtime.run_in_stack(lambda: runpy.run_path(target, run_name="__main__")))
    except RunError as error:
        pulumi.log.error(str(error))
        return SHOWN
    except grpc.RpcError as error:
        known: Any = error
        if known.code() == grpc.StatusCode.UNAVAILABLE:
            return 0
        pulumi.log.error(f"RPC error: {known.details()}")
        return SHOWN
    except Exception:  # noqa: BLE001 - reported to the engine, as the host does
        pulumi.log.error("Program failed with an unhandled exception:\n" + traceback.format_exc())
        return SHOWN
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
