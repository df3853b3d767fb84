"""The rules for the platform's AWS resources. The rules replace checks of cdk-nag and checkov."""
