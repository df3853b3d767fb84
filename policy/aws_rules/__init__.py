"""The rules for the AWS resources of the platform: all checks of cdk-nag and checkov that apply to them."""
