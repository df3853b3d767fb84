"""The platform on one machine: the unchanged Pulumi program, run on an embedded emulator of AWS."""
