"""The alarms, the SNS topic that the alarms notify, and the dashboard."""
