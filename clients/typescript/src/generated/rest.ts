// Generated from contracts/ by `make client`. Do not edit.

export interface paths {
    "/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create the caller's profile
         * @description Emails about the caller's orders go to the address of the profile. The address must be the one that the caller's
         *     token contains, and the user pool must have verified it. To include the address in the token, sign in with the
         *     scope `email`. The profile stores the address in the letter case of the token.
         *
         *     Each user has one profile. A second request returns 409, unless the address of the profile is not verified or
         *     is no longer the caller's address. In these cases the new profile replaces the old one.
         */
        post: operations["createUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `sub` of the user's token. */
                user_id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        /**
         * Get the caller's profile, or any profile as a member of the group `admin`
         * @description Release 0.1.0 did not verify addresses, and a profile with an unverified address receives no emails. If the
         *     caller is the owner of such a profile and the user pool has verified the address since then, this request marks
         *     the profile's address as verified.
         */
        get: operations["getUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the caller's orders, newest first
         * @description To read all orders, repeat the request with `cursor` set to the `next_cursor` of the previous page. Even members
         *     of the group `admin` get only their own orders. A new order can be missing from the list for a moment after the
         *     response that placed the order.
         */
        get: operations["listOrders"];
        put?: never;
        /**
         * Place an order that is decided asynchronously
         * @description The response is the order with the status `PENDING`. The platform then confirms or rejects the order, usually
         *     within two seconds. Send an `Idempotency-Key`, and retry with the same key until a response arrives.
         *
         *     To show the result, poll the order with `GET /orders/{order_id}`, first after the seconds in `Retry-After`.
         *     Double the interval after each request, up to ten seconds, until the status is not `PENDING`. After one minute,
         *     stop and tell the customer that the order is still being processed: during an outage, an order stays `PENDING`
         *     until the outage is over. Do not place the order again. Use `order_id` from the body to build the URL, because
         *     `Location` contains the stage of the API.
         */
        post: operations["createOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders/{order_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the order, from the response to the request that placed it. */
                order_id: components["parameters"]["OrderId"];
            };
            cookie?: never;
        };
        /**
         * Get one of the caller's orders, or any order as a member of the group `admin`
         * @description The fields of an order depend on its `status`. `PENDING` can become any other status, so poll the order while it is
         *     `PENDING`. `POST /orders` describes how often.
         */
        get: operations["getOrder"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders/{order_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the order, from the response to the request that placed it. */
                order_id: components["parameters"]["OrderId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel one of the caller's orders and return its products to stock
         * @description A `PENDING` or `CONFIRMED` order becomes `CANCELLED`. If the platform decides the order at the same time, either
         *     the decision or the cancellation takes effect. If the response is lost, read the order: a retry after a
         *     successful cancellation returns 409.
         */
        post: operations["cancelOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/process": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Place an order and wait until it is decided
         * @description The response arrives when the order is confirmed or rejected, after at most 29 seconds. The order also appears in
         *     the caller's list of orders, even if the response is an error. An error with `order_id` is about that order.
         *
         *     A retry with the same `Idempotency-Key` and body returns the result of the same order: 200 if it is confirmed,
         *     otherwise the same error as before.
         */
        post: operations["processOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        NewUser: {
            name: components["schemas"]["NewUserName"];
            email: components["schemas"]["NewUserEmail"];
        };
        User: {
            user_id: components["schemas"]["UserId"];
            name: components["schemas"]["Name"];
            email: components["schemas"]["Email"];
            created_at: components["schemas"]["Timestamp"];
        };
        /** @description Each product may appear in only one line. */
        NewOrder: {
            /**
             * @description The total that the customer saw, in minor units. If the total is different when the platform decides the
             *     order, the order is rejected with the code `PriceChanged`. Without this field, the customer pays the prices
             *     that are current at that time.
             */
            expected_total?: number;
            items: components["schemas"]["NewOrderLine"][];
        };
        NewOrderLine: {
            product_id: components["schemas"]["ProductId"];
            quantity: components["schemas"]["OrderQuantity"];
        };
        /** @description An order. Its `status` decides which other fields it has. */
        Order: components["schemas"]["PendingOrder"] | components["schemas"]["ConfirmedOrder"] | components["schemas"]["RejectedOrder"] | components["schemas"]["FailedOrder"] | components["schemas"]["CancelledOrder"];
        /** @description An order that is not decided yet. */
        PendingOrder: {
            order_id: components["schemas"]["OrderId"];
            user_id: components["schemas"]["UserId"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            status: "PENDING";
            items: components["schemas"]["OrderLine"][];
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description The products are taken from stock. Prices, total and currency are those of the catalog when the order was confirmed. */
        ConfirmedOrder: {
            order_id: components["schemas"]["OrderId"];
            user_id: components["schemas"]["UserId"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            status: "CONFIRMED";
            items: components["schemas"]["PricedOrderLine"][];
            total: components["schemas"]["Total"];
            currency: components["schemas"]["Currency"];
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description The order cannot be confirmed, for the reason in `reason`. The customer can place another order. */
        RejectedOrder: {
            order_id: components["schemas"]["OrderId"];
            user_id: components["schemas"]["UserId"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            status: "REJECTED";
            items: components["schemas"]["OrderLine"][];
            reason: components["schemas"]["RejectionReason"];
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description The order failed because of an internal error of the platform. */
        FailedOrder: {
            order_id: components["schemas"]["OrderId"];
            user_id: components["schemas"]["UserId"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            status: "FAILED";
            items: components["schemas"]["OrderLine"][];
            reason: components["schemas"]["FailureReason"];
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description The customer cancelled the order. If the order was confirmed before, it keeps its prices. */
        CancelledOrder: {
            order_id: components["schemas"]["OrderId"];
            user_id: components["schemas"]["UserId"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            status: "CANCELLED";
            items: components["schemas"]["CancelledOrderLine"][];
            total?: components["schemas"]["Total"];
            currency?: components["schemas"]["Currency"];
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
        };
        OrderLine: {
            product_id: components["schemas"]["ProductId"];
            quantity: components["schemas"]["OrderQuantity"];
        };
        PricedOrderLine: {
            product_id: components["schemas"]["ProductId"];
            quantity: components["schemas"]["OrderQuantity"];
            unit_price: components["schemas"]["UnitPrice"];
            /** @description Name of the product when the order was confirmed. Orders that release 0.1.0 confirmed have no names. */
            name?: string;
        };
        /** @description A line of a cancelled order. The line has a price only if the order was confirmed before. */
        CancelledOrderLine: {
            product_id: components["schemas"]["ProductId"];
            quantity: components["schemas"]["OrderQuantity"];
            unit_price?: components["schemas"]["UnitPrice"];
            /** @description Name of the product when the order was confirmed. Orders that release 0.1.0 confirmed have no names. */
            name?: string;
        };
        OrderPage: {
            orders: components["schemas"]["Order"][];
            next_cursor?: components["schemas"]["Cursor"];
        };
        /** @description Why the order was rejected. */
        RejectionReason: {
            /**
             * @description Later versions can add values: for an unknown code, use `message`.
             * @enum {string}
             */
            code: "ValidationError" | "ProductNotFound" | "OutOfStock" | "PriceChanged";
            message: string;
            /**
             * @description The same entries as in `details` of the error with this code. Orders that release 0.1.0 rejected have no
             *     details.
             */
            details?: (components["schemas"]["Shortage"] | components["schemas"]["ChangedPrice"] | components["schemas"]["UnknownProduct"])[];
        };
        /** @description Why the order failed. */
        FailureReason: {
            /** @enum {string} */
            code: "InternalError";
            message: string;
        };
        /**
         * @description The body of every error response. Each error code has a schema of its own, which can have more fields.
         * @example {
         *       "code": "NotFound",
         *       "message": "The API has no such path, or the path does not support this method.",
         *       "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
         *     }
         */
        ApiError: {
            /**
             * @description What happened. Later versions can add values: treat an unknown code like other codes with the same HTTP status.
             * @enum {string}
             */
            code: "ValidationError" | "Unauthorized" | "Forbidden" | "NotFound" | "UserNotFound" | "OrderNotFound" | "ProductNotFound" | "UserAlreadyExists" | "IdempotencyConflict" | "InvalidTransition" | "OutOfStock" | "PriceChanged" | "PayloadTooLarge" | "UnsupportedMediaType" | "TooManyRequests" | "InternalError" | "ServiceUnavailable" | "Timeout";
            /** @description What happened, in English, for developers. The text can change, so choose the text for customers by `code`. */
            message: string;
            request_id: components["schemas"]["RequestId"];
        };
        /** @description The request violates the contract or a business rule. */
        ValidationError: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "ValidationError";
            order_id?: components["schemas"]["RecordedOrderId"];
            /**
             * @description The invalid fields of the body, at most 20. Missing if another part of the request is invalid, or if the
             *     gateway rejected the body.
             */
            details?: components["schemas"]["InvalidField"][];
        };
        InvalidField: {
            /**
             * @description JSON pointer (RFC 6901) to the field, for example `/items/0/quantity`. Empty for the whole body. For an unknown
             *     field, the pointer of the object that contains the field.
             */
            pointer: string;
            /**
             * @description The violated keyword of JSON Schema, for example `maximum`. Rules that JSON Schema cannot express have the
             *     names `name` and `verified`.
             */
            rule: string;
            /** @description What is wrong and what is allowed, in English, for developers. */
            message: string;
        };
        /** @description The token is missing, expired, of the wrong kind or from another issuer. */
        Unauthorized: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "Unauthorized";
        };
        /** @description The request was blocked before it reached an operation. */
        Forbidden: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "Forbidden";
        };
        /** @description The profile does not exist or belongs to another user. */
        UserNotFound: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "UserNotFound";
        };
        /** @description The order does not exist or belongs to another user. */
        OrderNotFound: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "OrderNotFound";
        };
        /** @description A product is not in the catalog. */
        ProductNotFound: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "ProductNotFound";
            order_id?: components["schemas"]["RecordedOrderId"];
            /** @description The products that are not in the catalog. */
            details?: components["schemas"]["UnknownProduct"][];
        };
        /** @description The caller already has a profile. */
        UserAlreadyExists: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "UserAlreadyExists";
        };
        /** @description The idempotency key was already used with a different body. */
        IdempotencyConflict: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "IdempotencyConflict";
            /** @description Id of the order that was placed with this key. Only responses of `POST /process` contain this id. */
            order_id?: string;
        };
        /** @description The status of the order does not allow the change. */
        InvalidTransition: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "InvalidTransition";
            order_id?: components["schemas"]["RecordedOrderId"];
        };
        /** @description The stock of a product is lower than the ordered quantity. */
        OutOfStock: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "OutOfStock";
            order_id?: components["schemas"]["RecordedOrderId"];
            /** @description The products with too little stock. Orders that release 0.1.0 rejected have no details. */
            details?: components["schemas"]["Shortage"][];
        };
        Shortage: {
            product_id: components["schemas"]["ProductId"];
            requested: components["schemas"]["OrderQuantity"];
            /** @description Units in stock when the order was rejected. */
            available: number;
        };
        UnknownProduct: {
            product_id: components["schemas"]["ProductId"];
        };
        /** @description The total of the order differs from `expected_total`. */
        PriceChanged: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "PriceChanged";
            order_id?: components["schemas"]["RecordedOrderId"];
            /** @description Exactly one entry, which contains both totals. */
            details?: components["schemas"]["ChangedPrice"][];
        };
        ChangedPrice: {
            /** @description The total in the request, in minor units. */
            expected_total: number;
            total: components["schemas"]["Total"];
            currency: components["schemas"]["Currency"];
        };
        /** @description Id of the order that `POST /process` recorded. Other operations return errors without this id. */
        RecordedOrderId: string;
        /** @description The body exceeds the maximum size. */
        PayloadTooLarge: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "PayloadTooLarge";
        };
        /** @description The `Content-Type` of the body is not `application/json`. */
        UnsupportedMediaType: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "UnsupportedMediaType";
        };
        /** @description The caller or all callers together sent too many requests. The request changed nothing. */
        TooManyRequests: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "TooManyRequests";
        };
        /** @description The platform has a problem. The request can be retried. */
        InternalError: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "InternalError";
            order_id?: components["schemas"]["RecordedOrderId"];
        };
        /** @description The platform cannot decide the order now. */
        ServiceUnavailable: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "ServiceUnavailable";
            order_id?: components["schemas"]["OrderId"];
        };
        /** @description The response took too long. The request may have been processed. */
        Timeout: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "Timeout";
        };
        /** @description Id of the request. Include this id when you ask for support. */
        RequestId: string;
        /** @description Total price in minor units of `currency`. */
        Total: number;
        UserId: string;
        OrderId: string;
        ProductId: string;
        Name: string;
        /**
         * @description Emails contain the name. The name has no invisible characters: control characters, line separators,
         *     bidirectional and zero-width characters. It has no part that mail programs show as a link: `@`, `:`, `\` and
         *     domain names such as `www.a` or `example.com`. `J.R. Tolkien` and `Dr. No` are valid, `Dr.No` needs a space.
         */
        NewUserName: string;
        /**
         * @description The verified email address in the caller's token, in any letter case. Addresses that Amazon SES refuses are
         *     invalid: those with other characters than ASCII, quotes or misplaced dots, or with more than 64 characters
         *     before the `@`.
         */
        NewUserEmail: string;
        /** @description An ASCII address. In a profile that release 0.1.0 created, it can be an address that Amazon SES refuses. */
        Email: string;
        OrderQuantity: number;
        /** @description Price of one unit in minor units of the currency. */
        UnitPrice: number;
        /** @description ISO 4217 currency code. */
        Currency: string;
        /** Format: date-time */
        Timestamp: string;
        Cursor: string;
    };
    responses: {
        /**
         * @description `ValidationError`: the request violates this document, or two lines have the same product. The message names the
         *     field, unless the gateway rejected the body.
         */
        ValidationError: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ValidationError"];
            };
        };
        /** @description `Unauthorized`: the token is missing, expired, of the wrong kind or from another issuer. */
        Unauthorized: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Unauthorized"];
            };
        };
        /**
         * @description `Forbidden`: the request was blocked before it reached an operation, for example by the web application
         *     firewall.
         */
        Forbidden: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Forbidden"];
            };
        };
        /** @description `UserNotFound`: the profile does not exist or belongs to another user. */
        UserNotFound: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["UserNotFound"];
            };
        };
        /** @description `OrderNotFound`: the order does not exist or belongs to another user. */
        OrderNotFound: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OrderNotFound"];
            };
        };
        /** @description `ProductNotFound`: a line contains a product that is not in the catalog. The order is `REJECTED`. */
        UnknownProduct: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ProductNotFound"];
            };
        };
        /** @description `UserAlreadyExists`: the caller already has a profile. */
        UserAlreadyExists: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["UserAlreadyExists"];
            };
        };
        /** @description `IdempotencyConflict`: the key was already used with a different body. */
        IdempotencyConflict: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["IdempotencyConflict"];
            };
        };
        /** @description `InvalidTransition`: the order's status does not allow the change. */
        InvalidTransition: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["InvalidTransition"];
            };
        };
        /**
         * @description `OutOfStock`: the stock of a product is too low, and the order is `REJECTED`.
         *     `PriceChanged`: the total differs from `expected_total`, and the order is `REJECTED`.
         *     `IdempotencyConflict`: the key was already used with a different body.
         *     `InvalidTransition`: the order was cancelled before it was decided.
         */
        NotConfirmed: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OutOfStock"] | components["schemas"]["PriceChanged"] | components["schemas"]["IdempotencyConflict"] | components["schemas"]["InvalidTransition"];
            };
        };
        /** @description `PayloadTooLarge`: the body exceeds the maximum size. */
        PayloadTooLarge: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["PayloadTooLarge"];
            };
        };
        /** @description `UnsupportedMediaType`: the body's `Content-Type` is not `application/json`. */
        UnsupportedMediaType: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["UnsupportedMediaType"];
            };
        };
        /** @description `TooManyRequests`, from the operation or the gateway: wait, then retry with the same `Idempotency-Key`. */
        TooManyRequests: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                "Retry-After": components["headers"]["OptionalRetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["TooManyRequests"];
            };
        };
        /**
         * @description `Timeout`: the response took too long, and the request may have been processed. Retry with the same
         *     `Idempotency-Key`.
         */
        Timeout: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Timeout"];
            };
        };
        /**
         * @description `ServiceUnavailable`: the platform has a problem. If the body contains `order_id`, the order is accepted, and the
         *     platform decides it as soon as the problem is over: get the order, or retry the request with the same
         *     `Idempotency-Key`. Without `order_id`, retry the request with the same `Idempotency-Key`.
         */
        ServiceUnavailable: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ServiceUnavailable"];
            };
        };
        /**
         * @description `Timeout`: the order was not decided in time, but it will be decided. To learn its id, retry the request with the
         *     same `Idempotency-Key`.
         */
        Undecided: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Timeout"];
            };
        };
        /** @description `InternalError`: the platform has a problem. Retry with the same `Idempotency-Key`. */
        InternalError: {
            headers: {
                "x-amzn-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["InternalError"];
            };
        };
    };
    parameters: {
        /** @description The `sub` of the user's token. */
        UserId: components["schemas"]["UserId"];
        /** @description Id of the order, from the response to the request that placed it. */
        OrderId: components["schemas"]["OrderId"];
        /** @description Client-chosen key that makes retries safe. Without this key, every request creates an order. */
        IdempotencyKey: string;
        /** @description Maximum number of entries on the page. */
        Limit: number;
        /** @description `next_cursor` of the previous page. Any other value returns 400. */
        Cursor: components["schemas"]["Cursor"];
    };
    requestBodies: {
        NewOrder: {
            content: {
                "application/json": components["schemas"]["NewOrder"];
            };
        };
    };
    headers: {
        /**
         * @description Path of the created resource, including the API's stage. On the local platform, URLs have another prefix, so
         *     build the URL from `frontend.restApi.url` and the id in the body.
         */
        Location: string;
        /** @description Id of the request, on every response. Errors repeat this id as `request_id`. */
        RequestId: components["schemas"]["RequestId"];
        /** @description Number of seconds to wait before the next request. */
        RetryAfter: string;
        /** @description Number of seconds to wait before the request is repeated. Responses of the gateway itself lack this header. */
        OptionalRetryAfter: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    createUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUser"];
            };
        };
        responses: {
            /** @description The profile was created. */
            201: {
                headers: {
                    "x-amzn-requestid": components["headers"]["RequestId"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            400: components["responses"]["ValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["UserAlreadyExists"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            504: components["responses"]["Timeout"];
            "5XX": components["responses"]["InternalError"];
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `sub` of the user's token. */
                user_id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The profile. */
            200: {
                headers: {
                    "x-amzn-requestid": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["UserNotFound"];
            429: components["responses"]["TooManyRequests"];
            504: components["responses"]["Timeout"];
            "5XX": components["responses"]["InternalError"];
        };
    };
    listOrders: {
        parameters: {
            query?: {
                /** @description Maximum number of entries on the page. */
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the previous page. Any other value returns 400. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of orders. The last page has no `next_cursor`. */
            200: {
                headers: {
                    "x-amzn-requestid": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderPage"];
                };
            };
            400: components["responses"]["ValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            504: components["responses"]["Timeout"];
            "5XX": components["responses"]["InternalError"];
        };
    };
    createOrder: {
        parameters: {
            query?: never;
            header?: {
                /** @description Client-chosen key that makes retries safe. Without this key, every request creates an order. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: components["requestBodies"]["NewOrder"];
        responses: {
            /**
             * @description The order was accepted as `PENDING`. A retry with the same `Idempotency-Key` and body returns the same
             *     order in its current state.
             */
            202: {
                headers: {
                    "x-amzn-requestid": components["headers"]["RequestId"];
                    Location: components["headers"]["Location"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            400: components["responses"]["ValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["IdempotencyConflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            504: components["responses"]["Timeout"];
            "5XX": components["responses"]["InternalError"];
        };
    };
    getOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the order, from the response to the request that placed it. */
                order_id: components["parameters"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The order. */
            200: {
                headers: {
                    "x-amzn-requestid": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["OrderNotFound"];
            429: components["responses"]["TooManyRequests"];
            504: components["responses"]["Timeout"];
            "5XX": components["responses"]["InternalError"];
        };
    };
    cancelOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the order, from the response to the request that placed it. */
                order_id: components["parameters"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The order with the status `CANCELLED`. */
            200: {
                headers: {
                    "x-amzn-requestid": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CancelledOrder"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["OrderNotFound"];
            409: components["responses"]["InvalidTransition"];
            429: components["responses"]["TooManyRequests"];
            504: components["responses"]["Timeout"];
            "5XX": components["responses"]["InternalError"];
        };
    };
    processOrder: {
        parameters: {
            query?: never;
            header?: {
                /** @description Client-chosen key that makes retries safe. Without this key, every request creates an order. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: components["requestBodies"]["NewOrder"];
        responses: {
            /** @description The order with the status `CONFIRMED`. */
            200: {
                headers: {
                    "x-amzn-requestid": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfirmedOrder"];
                };
            };
            400: components["responses"]["ValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["UnknownProduct"];
            409: components["responses"]["NotConfirmed"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["Undecided"];
            "5XX": components["responses"]["InternalError"];
        };
    };
}
