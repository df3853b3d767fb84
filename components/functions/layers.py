"""The two Lambda layers of every function."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.aws.naming import Naming
from components.functions import archives
from components.functions.archives import Archives


@dataclass(frozen=True, kw_only=True)
class LayersArgs:
    """The names and the contents of the layers."""

    naming: Naming
    """Names and tags of the stack."""
    architecture: str
    """CPU architecture: arm64 or x86_64."""
    built: Archives
    """The archives, built for this architecture."""


class Layers(pulumi.ComponentResource):
    """The layers `powertools` (third-party packages) and `common` (functions/shared and the contracts' schemas)."""

    arns: list[pulumi.Output[str]]
    """ARNs of the layer versions: `powertools` first, then `common`."""

    def __init__(self, name: str, args: LayersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Layers", name, None, opts)
        contents = {
            "powertools": args.built.powertools_layer,
            "common": args.built.common_layer,
        }
        self.arns = [
            aws.lambda_.LayerVersion(
                f"{name}-{role}",
                layer_name=args.naming.physical(role),
                code=archive,
                compatible_runtimes=[archives.RUNTIME],
                compatible_architectures=[args.architecture],
                opts=pulumi.ResourceOptions(parent=self),
            ).arn
            for role, archive in contents.items()
        ]
        self.register_outputs({"arns": self.arns})
