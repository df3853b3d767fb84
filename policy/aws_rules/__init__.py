"""The rules for the platform's AWS resources, which replace checks of cdk-nag and checkov."""
