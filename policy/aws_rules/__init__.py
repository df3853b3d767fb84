"""What this platform demands of its AWS resources: the checks of cdk-nag and checkov that apply to them."""
