"""A handler like those in Powertools' tutorials. It uses each utility as the documentation shows."""

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver

logger = Logger()
tracer = Tracer()
metrics = Metrics()
app = APIGatewayRestResolver()
table = boto3.resource("dynamodb").Table("orders")


@app.get("/orders")
def list_orders():
    return {"orders": table.scan()["Items"]}


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event, context):
    return app.resolve(event, context)
