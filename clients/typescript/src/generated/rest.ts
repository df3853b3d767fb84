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
                user_id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        /**
         * Get the caller's profile, or any profile as a member of the group `admin`
         * @description Release 0.1.0 did not verify addresses, and a profile with an unverified address receives no emails. If the
         *     caller is the owner of such a profile and has verified its address, this request verifies the profile's address.
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
        /** List the caller's orders, newest first */
        get: operations["listOrders"];
        put?: never;
        /** Place an order that is decided asynchronously */
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
                order_id: components["parameters"]["OrderId"];
            };
            cookie?: never;
        };
        /** Get one of the caller's orders, or any order as a member of the group `admin` */
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
                order_id: components["parameters"]["OrderId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel one of the caller's orders and return its products to stock */
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
         * @description A retry with the same `Idempotency-Key` and body returns the result of the same order: 200 if it is confirmed,
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
            items: components["schemas"]["NewOrderLine"][];
        };
        NewOrderLine: {
            product_id: components["schemas"]["ProductId"];
            quantity: components["schemas"]["OrderQuantity"];
        };
        /** @description Unit prices, total and currency are set when the order is confirmed. The reason is set when the order is rejected or fails. */
        Order: {
            order_id: components["schemas"]["OrderId"];
            user_id: components["schemas"]["UserId"];
            status: components["schemas"]["OrderStatus"];
            items: components["schemas"]["OrderLine"][];
            /** @description Total price in minor units of `currency`. */
            total?: number;
            currency?: components["schemas"]["Currency"];
            reason?: components["schemas"]["Reason"];
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
        };
        OrderLine: {
            product_id: components["schemas"]["ProductId"];
            quantity: components["schemas"]["OrderQuantity"];
            unit_price?: components["schemas"]["UnitPrice"];
        };
        OrderPage: {
            orders: components["schemas"]["Order"][];
            next_cursor?: components["schemas"]["Cursor"];
        };
        /** @description Why the order was rejected or failed. */
        Reason: {
            /**
             * @description `InternalError` if the order failed, one of the other codes if the order was rejected.
             * @enum {string}
             */
            code: "ValidationError" | "ProductNotFound" | "OutOfStock" | "InternalError";
            message: string;
        };
        /**
         * @description `PENDING` can become any other status. `CONFIRMED` can become `CANCELLED`. The other statuses are final.
         * @enum {string}
         */
        OrderStatus: "PENDING" | "CONFIRMED" | "REJECTED" | "FAILED" | "CANCELLED";
        Error: {
            /** @enum {string} */
            code: "ValidationError" | "Unauthorized" | "Forbidden" | "NotFound" | "UserNotFound" | "OrderNotFound" | "ProductNotFound" | "UserAlreadyExists" | "IdempotencyConflict" | "InvalidTransition" | "OutOfStock" | "PayloadTooLarge" | "UnsupportedMediaType" | "TooManyRequests" | "InternalError" | "Timeout";
            message: string;
            /** @description Id of the request. Include this id when you ask for support. */
            request_id: string;
        };
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
        /** @description An ASCII address. Profiles that release 0.1.0 created can have any such address. */
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
        /** @description `ValidationError`: the request violates this document, or two lines have the same product. The message names the field, unless the gateway rejected the body. */
        ValidationError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description `Unauthorized`: the token is missing, expired, of the wrong kind or from another issuer. */
        Unauthorized: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description `Forbidden`: the request was blocked before it reached an operation, for example by the web application firewall. */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description `UserNotFound`: the profile does not exist or belongs to another user. */
        UserNotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description `OrderNotFound`: the order does not exist or belongs to another user. */
        OrderNotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description `UserAlreadyExists`: the caller already has a profile. */
        UserAlreadyExists: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description `IdempotencyConflict`: the key was already used with a different body. */
        IdempotencyConflict: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description `InvalidTransition`: the order's status does not allow the change. */
        InvalidTransition: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description `PayloadTooLarge`: the body exceeds the maximum size. */
        PayloadTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description `UnsupportedMediaType`: the body's `Content-Type` is not `application/json`. */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description `TooManyRequests`, from the operation or the gateway: wait, then retry with the same `Idempotency-Key`. */
        TooManyRequests: {
            headers: {
                /** @description Number of seconds to wait before the request is repeated. Only responses of the operation have this header. */
                "Retry-After"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description `InternalError`, or 504 `Timeout`: the platform has a problem. Retry with the same `Idempotency-Key`. */
        InternalError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
    };
    parameters: {
        UserId: components["schemas"]["UserId"];
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
        /** @description Path of the created resource, including the API's stage. */
        Location: string;
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
            "5XX": components["responses"]["InternalError"];
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The profile. */
            200: {
                headers: {
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
                    Location: components["headers"]["Location"];
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
            "5XX": components["responses"]["InternalError"];
        };
    };
    getOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                order_id: components["parameters"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The order. */
            200: {
                headers: {
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
            "5XX": components["responses"]["InternalError"];
        };
    };
    cancelOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                order_id: components["parameters"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The order with the status `CANCELLED`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["OrderNotFound"];
            409: components["responses"]["InvalidTransition"];
            429: components["responses"]["TooManyRequests"];
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
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            400: components["responses"]["ValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description `ProductNotFound`: a line contains a product that is not in the catalog. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /**
             * @description `OutOfStock`: the stock of a product is too low. `IdempotencyConflict`: the key was already used with a
             *     different body. `InvalidTransition`: the order was cancelled in the meantime.
             */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            /**
             * @description `Timeout`: the order was not decided in time, but it will be decided. Get the order, or retry the request
             *     with the same `Idempotency-Key`.
             */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            "5XX": components["responses"]["InternalError"];
        };
    };
}
