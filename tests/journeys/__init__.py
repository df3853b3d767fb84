"""The journeys: what the platform promises, end to end on a started emulator with IAM enforced."""
