"""The journeys: end-to-end tests of the deployed platform on the local emulator, which enforces IAM permissions."""
