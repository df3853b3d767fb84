"""The Pulumi program: reads the settings, creates the components, and exports outputs for frontends and operators."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

import settings
from components.apis import routes
from components.apis.http_api import HttpApi, HttpApiArgs
from components.apis.rest_api import RestApi, RestApiArgs
from components.aws.log_key import LogKey, LogKeyArgs
from components.aws.naming import Naming
from components.aws.protection import protect_irreplaceable
from components.data_tier import CATALOG_INDEX, LATE_ORDERS_INDEX, ORDERS_BY_USER_INDEX, DataTier, DataTierArgs
from components.events.event_bus import EventBus, EventBusArgs
from components.functions import archives
from components.functions.failure_queues import as_stack_output
from components.functions.function import FunctionContext, FunctionOverride, check_overrides
from components.functions.layers import Layers, LayersArgs
from components.identity import SCOPES, Identity, IdentityArgs
from components.observability.observability import Observability, ObservabilityArgs
from components.site.own_domain import OwnDomain
from components.site.site import VIEWER_ADDRESS_HEADER, Site, SiteArgs
from components.workflow.order_workflow import OrderWorkflow, OrderWorkflowArgs, caller_limits

config = settings.load()
overrides = {
    name: FunctionOverride(timeout_s=each.timeout_seconds, memory_mb=each.memory_mb)
    for name, each in config.functions.overrides.items()
}
check_overrides(overrides, {**routes.caller_limits(), **caller_limits()})
# Build the archives of all functions and layers first, so that a failed build stops the program before Pulumi registers
# any resource.
built = archives.build_all(config.functions.architecture)

naming = Naming(project=config.project, stack=config.stack)
account_id = aws.get_caller_identity_output().account_id

if config.data.deletion_protection:
    protect_irreplaceable()

layers = Layers("layers", LayersArgs(naming=naming, architecture=config.functions.architecture, built=built))

data = DataTier(
    "data",
    DataTierArgs(
        naming=naming,
        account_id=account_id,
        point_in_time_recovery=config.data.point_in_time_recovery,
        deletion_protection=config.data.deletion_protection,
        force_destroy=config.data.force_destroy,
        analytics_retention_days=config.data.analytics_retention_days,
    ),
)

identity = Identity(
    "identity",
    IdentityArgs(
        naming=naming,
        region=config.region,
        account_id=account_id,
        password_sign_in=config.identity.password_sign_in,
        redirect_uris=config.identity.redirect_uris,
        logout_uris=config.identity.logout_uris,
        deletion_protection=config.data.deletion_protection,
    ),
)

log_key = LogKey("logs", LogKeyArgs(naming=naming, region=config.region, account_id=account_id))

context = FunctionContext(
    naming=naming,
    region=config.region,
    account_id=account_id,
    layer_arns=layers.arns,
    architecture=config.functions.architecture,
    log_level=config.functions.log_level,
    log_retention_days=config.observability.log_retention_days,
    log_key_arn=log_key.arn,
    provisioned_concurrency=config.functions.provisioned_concurrency,
    overrides=overrides,
    built=built.functions,
)

workflow = OrderWorkflow(
    "order-workflow",
    OrderWorkflowArgs(
        context=context,
        orders_table=data.orders,
        inventory_table=data.inventory,
        standard_timeout_s=config.workflow.standard_timeout_seconds,
    ),
)

events = EventBus(
    "events",
    EventBusArgs(
        context=context,
        orders_table=data.orders,
        late_orders_index=LATE_ORDERS_INDEX,
        sweep_minutes=config.workflow.sweep_minutes,
        users_table=data.users,
        idempotency_table=data.idempotency,
        analytics_bucket=data.analytics_bucket,
        state_machine_arn=workflow.standard.arn,
        standard_timeout_s=config.workflow.standard_timeout_seconds,
        archive_retention_days=config.data.archive_retention_days,
        mail_sender=config.mail.sender,
        mail_max_send_rate=config.mail.max_send_rate,
        create_identity=config.mail.create_identity,
    ),
)

rest_api = RestApi(
    "rest-api",
    RestApiArgs(
        context=context,
        stage_name=config.stack,
        user_pool_arn=identity.user_pool_arn,
        client_id=identity.client_id,
        state_machine_arn=workflow.express.arn,
        users_table=data.users,
        orders_table=data.orders,
        orders_by_user_index=ORDERS_BY_USER_INDEX,
        inventory_table=data.inventory,
        cors_origins=config.api.cors_origins,
        throttle_rate=config.api.throttle_rate,
        throttle_burst=config.api.throttle_burst,
        waf=config.api.waf,
        owns_account_log_role=config.api.owns_account_log_role,
        viewer_address_header=VIEWER_ADDRESS_HEADER if config.site.enabled else "",
    ),
)

http_api = HttpApi(
    "http-api",
    HttpApiArgs(
        context=context,
        issuer=identity.issuer,
        client_id=identity.client_id,
        inventory_table=data.inventory,
        catalog_index=CATALOG_INDEX,
        cors_origins=config.api.cors_origins,
        throttle_rate=config.api.throttle_rate,
        throttle_burst=config.api.throttle_burst,
    ),
)

site = None
if config.site.enabled:
    site = Site(
        "site",
        SiteArgs(
            naming=naming,
            account_id=account_id,
            region=config.region,
            rest_api_id=rest_api.rest_api_id,
            rest_api_stage=rest_api.stage_name,
            http_api_id=http_api.api_id,
            sign_in_urls=[identity.hosted_ui_url, identity.issuer],
            force_destroy=config.data.force_destroy,
            own_domain=OwnDomain(name=config.site.domain, hosted_zone_id=config.site.hosted_zone_id)
            if config.site.domain
            else None,
        ),
    )

functions = {**rest_api.functions, **http_api.functions, **events.functions, **workflow.functions}

observability = Observability(
    "observability",
    ObservabilityArgs(
        naming=naming,
        region=config.region,
        account_id=account_id,
        functions=functions,
        failure_queues=events.failure_queues,
        rules=events.rules,
        queues=events.queues,
        streams=events.streams,
        tables=data.monitored_tables,
        standard_arn=workflow.standard.arn,
        standard_log_group_name=workflow.standard.log_group_name,
        standard_expected_errors=workflow.expected_errors,
        express_arn=workflow.express.arn,
        rest_api_name=rest_api.name,
        rest_api_stage=rest_api.stage_name,
        http_api_id=http_api.api_id,
        alarm_email=config.observability.alarm_email,
    ),
)

pulumi.export(
    "frontend",
    {
        "contractVersion": "1",
        "stage": config.stack,
        "region": config.region,
        "corsOrigins": config.api.cors_origins,
        "restApi": {"url": rest_api.url, "tokenUse": "id"},
        "httpApi": {"url": http_api.url, "tokenUse": "access", "scopes": list(http_api.scopes)},
        "auth": {
            "userPoolId": identity.user_pool_id,
            "userPoolClientId": identity.client_id,
            "issuer": identity.issuer,
            "jwksUrl": identity.jwks_url,
            "discoveryUrl": identity.discovery_url,
            "hostedUiUrl": identity.hosted_ui_url,
            "logoutUrl": identity.logout_url,
            "scopes": list(SCOPES),
            "redirectUris": config.identity.redirect_uris,
            "logoutUris": config.identity.logout_uris,
        },
    },
)

pulumi.export(
    "ops",
    {
        "stage": config.stack,
        "region": config.region,
        "tables": {
            "users": data.users.name,
            "orders": data.orders.name,
            "inventory": data.inventory.name,
            "idempotency": data.idempotency.name,
        },
        "analyticsBucket": data.analytics_bucket.bucket,
        "eventBus": {"name": events.bus_name, "arn": events.bus_arn, "archive": events.archive_name},
        "stateMachines": {"standard": workflow.standard.arn, "express": workflow.express.arn},
        "topics": {
            "notifications": workflow.notification_topic_arn,
            "successes": events.success_topic_arn,
            "alarms": observability.alarm_topic_arn,
        },
        "dashboard": pulumi.Output.format(
            "https://{0}.console.aws.amazon.com/cloudwatch/home?region={0}#dashboards:name={1}",
            config.region,
            observability.dashboard_name,
        ),
        "functions": {name: function.arn for name, function in functions.items()},
        "logGroups": {
            **{name: function.log_group_name for name, function in functions.items()},
            "restApi": rest_api.access_log_group_name,
            "httpApi": http_api.access_log_group_name,
            "standard": workflow.standard.log_group_name,
            "express": workflow.express.log_group_name,
        },
        "failureQueues": as_stack_output(events.failure_queues),
        "site": {"url": site.url, "bucket": site.bucket_name, "distributionId": site.distribution_id} if site else None,
    },
)
