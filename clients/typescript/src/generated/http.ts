// Generated from contracts/ by `make client`. Do not edit.

export interface paths {
    "/products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List products, ordered by product id
         * @description To read all products, repeat the request with `cursor` set to the `next_cursor` of the previous page. A changed
         *     product can appear unchanged in the list for a moment.
         *
         *     To read certain products, for example those of an order, send their ids in `ids`. The response then contains
         *     these products in the order of `ids`, without products that do not exist, and no `next_cursor`.
         */
        get: operations["listProducts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products/{product_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the product, which the admin chooses. */
                product_id: components["parameters"]["ProductId"];
            };
            cookie?: never;
        };
        /**
         * Get a product
         * @description Returns the product with its current price and stock.
         */
        get: operations["getProduct"];
        /**
         * Create or replace a product, as a member of the group `admin`
         * @description `quantity` sets the absolute stock, regardless of earlier sales. If a product is sold between an admin page's
         *     read and its write, the write therefore sets the stock too high.
         */
        put: operations["putProduct"];
        post?: never;
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
        NewProduct: {
            name: components["schemas"]["Name"];
            unit_price: components["schemas"]["UnitPrice"];
            currency: components["schemas"]["ActiveCurrency"];
            quantity: components["schemas"]["StockQuantity"];
        };
        Product: {
            product_id: components["schemas"]["ProductId"];
            name: components["schemas"]["Name"];
            unit_price: components["schemas"]["UnitPrice"];
            currency: components["schemas"]["Currency"];
            /** @description Units in stock. Cancelled orders return their units to stock, so this number can exceed the maximum for `PUT`. */
            quantity: number;
        };
        ProductPage: {
            products: components["schemas"]["Product"][];
            next_cursor?: components["schemas"]["Cursor"];
        };
        /**
         * @description The body of every error response. Each error code has a schema of its own, which can have more fields.
         * @example {
         *       "code": "NotFound",
         *       "message": "path or method: not found; see the OpenAPI document",
         *       "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
         *     }
         */
        ApiError: {
            /**
             * @description What happened. Later versions can add values: treat an unknown code like other codes with the same HTTP status.
             * @enum {string}
             */
            code: "ValidationError" | "Unauthorized" | "Forbidden" | "NotFound" | "ProductNotFound" | "PayloadTooLarge" | "UnsupportedMediaType" | "TooManyRequests" | "InternalError";
            /** @description What happened, in English, for developers. The text can change, so choose the text for customers by `code`. */
            message: string;
            request_id: components["schemas"]["RequestId"];
        };
        /** @description The request violates the contract. */
        ValidationError: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "ValidationError";
            /** @description The invalid fields of the body, at most 20. Missing if another part of the request is invalid. */
            details?: components["schemas"]["InvalidField"][];
        };
        InvalidField: {
            /**
             * @description JSON pointer (RFC 6901) to the field, for example `/unit_price`. Empty for the whole body. For an unknown
             *     field, the pointer of the object that contains the field.
             */
            pointer: string;
            /** @description The violated keyword of JSON Schema, for example `maximum`. */
            rule: string;
            /** @description What is wrong and what is allowed, in English, for developers. */
            message: string;
        };
        /** @description The token is missing, expired, of the wrong kind or from another issuer. */
        Unauthorized: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "Unauthorized";
        };
        /** @description The caller is not in the group `admin`. */
        Forbidden: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "Forbidden";
        };
        /** @description The product is not in the catalog. */
        ProductNotFound: components["schemas"]["ApiError"] & {
            /** @enum {string} */
            code?: "ProductNotFound";
        };
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
        };
        /** @description Id of the request. Include this id when you ask for support. */
        RequestId: string;
        /** @description An error response of the gateway itself. */
        GatewayError: {
            message: string;
        };
        ProductId: string;
        Name: string;
        /** @description Price of one unit in minor units of the currency. */
        UnitPrice: number;
        StockQuantity: number;
        /** @description ISO 4217 currency code. */
        Currency: string;
        /**
         * @description ISO 4217 codes of currencies that are in use and have minor units. Source: List One of SIX, the maintenance
         *     agency of the standard, as of February 2026.
         * @enum {string}
         */
        ActiveCurrency: "AED" | "AFN" | "ALL" | "AMD" | "AOA" | "ARS" | "AUD" | "AWG" | "AZN" | "BAM" | "BBD" | "BDT" | "BHD" | "BIF" | "BMD" | "BND" | "BOB" | "BOV" | "BRL" | "BSD" | "BTN" | "BWP" | "BYN" | "BZD" | "CAD" | "CDF" | "CHE" | "CHF" | "CHW" | "CLF" | "CLP" | "CNY" | "COP" | "COU" | "CRC" | "CUP" | "CVE" | "CZK" | "DJF" | "DKK" | "DOP" | "DZD" | "EGP" | "ERN" | "ETB" | "EUR" | "FJD" | "FKP" | "GBP" | "GEL" | "GHS" | "GIP" | "GMD" | "GNF" | "GTQ" | "GYD" | "HKD" | "HNL" | "HTG" | "HUF" | "IDR" | "ILS" | "INR" | "IQD" | "IRR" | "ISK" | "JMD" | "JOD" | "JPY" | "KES" | "KGS" | "KHR" | "KMF" | "KPW" | "KRW" | "KWD" | "KYD" | "KZT" | "LAK" | "LBP" | "LKR" | "LRD" | "LSL" | "LYD" | "MAD" | "MDL" | "MGA" | "MKD" | "MMK" | "MNT" | "MOP" | "MRU" | "MUR" | "MVR" | "MWK" | "MXN" | "MXV" | "MYR" | "MZN" | "NAD" | "NGN" | "NIO" | "NOK" | "NPR" | "NZD" | "OMR" | "PAB" | "PEN" | "PGK" | "PHP" | "PKR" | "PLN" | "PYG" | "QAR" | "RON" | "RSD" | "RUB" | "RWF" | "SAR" | "SBD" | "SCR" | "SDG" | "SEK" | "SGD" | "SHP" | "SLE" | "SOS" | "SRD" | "SSP" | "STN" | "SVC" | "SYP" | "SZL" | "THB" | "TJS" | "TMT" | "TND" | "TOP" | "TRY" | "TTD" | "TWD" | "TZS" | "UAH" | "UGX" | "USD" | "USN" | "UYI" | "UYU" | "UYW" | "UZS" | "VED" | "VES" | "VND" | "VUV" | "WST" | "XAD" | "XAF" | "XCD" | "XCG" | "XOF" | "XPF" | "YER" | "ZAR" | "ZMW" | "ZWG";
        Cursor: string;
    };
    responses: {
        /** @description `ValidationError`: the request violates this document. The message names the field. */
        ValidationError: {
            headers: {
                "apigw-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ValidationError"];
            };
        };
        /**
         * @description `Unauthorized`, usually from the gateway: the token is missing, expired or from another issuer. An ID token
         *     lacks the scope, so a request with an ID token returns 403.
         */
        Unauthorized: {
            headers: {
                "apigw-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Unauthorized"] | components["schemas"]["GatewayError"];
            };
        };
        /** @description From the gateway: the token lacks the scope `email`. */
        MissingScope: {
            headers: {
                "apigw-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["GatewayError"];
            };
        };
        /**
         * @description `Forbidden`: the caller is not in the group `admin`. The gateway also returns 403 if the token lacks the scope
         *     `email`.
         */
        Forbidden: {
            headers: {
                "apigw-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Forbidden"] | components["schemas"]["GatewayError"];
            };
        };
        /** @description `ProductNotFound`: the product does not exist. */
        ProductNotFound: {
            headers: {
                "apigw-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ProductNotFound"];
            };
        };
        /** @description `PayloadTooLarge`: the body exceeds the maximum size. The gateway itself returns 413 above 10 MB. */
        PayloadTooLarge: {
            headers: {
                "apigw-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["PayloadTooLarge"] | components["schemas"]["GatewayError"];
            };
        };
        /** @description `UnsupportedMediaType`: the body's `Content-Type` is not `application/json`. */
        UnsupportedMediaType: {
            headers: {
                "apigw-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["UnsupportedMediaType"];
            };
        };
        /** @description `TooManyRequests`, from the operation or the gateway: wait, then retry. */
        TooManyRequests: {
            headers: {
                "apigw-requestid": components["headers"]["RequestId"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["TooManyRequests"] | components["schemas"]["GatewayError"];
            };
        };
        /** @description `InternalError`, from the operation or the gateway: the platform has a problem. The request can be retried. */
        InternalError: {
            headers: {
                "apigw-requestid": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["InternalError"] | components["schemas"]["GatewayError"];
            };
        };
    };
    parameters: {
        /** @description Id of the product, which the admin chooses. */
        ProductId: components["schemas"]["ProductId"];
        /** @description Maximum number of entries on the page. */
        Limit: number;
        /** @description `next_cursor` of the previous page. Any other value returns 400. */
        Cursor: components["schemas"]["Cursor"];
        /**
         * @description Ids of products, separated by commas. They cannot be combined with `limit` or `cursor`. A repeated id counts once.
         * @example [
         *       "teapot",
         *       "bento"
         *     ]
         */
        Ids: string[];
    };
    requestBodies: never;
    headers: {
        /** @description Id of the request. Every response has this header. Except for errors of the gateway itself, error responses repeat the id as `request_id`. */
        RequestId: components["schemas"]["RequestId"];
        /** @description Number of seconds to wait before the request is repeated. Responses of the gateway itself lack this header. */
        RetryAfter: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listProducts: {
        parameters: {
            query?: {
                /** @description Maximum number of entries on the page. */
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the previous page. Any other value returns 400. */
                cursor?: components["parameters"]["Cursor"];
                /**
                 * @description Ids of products, separated by commas. They cannot be combined with `limit` or `cursor`. A repeated id counts once.
                 * @example [
                 *       "teapot",
                 *       "bento"
                 *     ]
                 */
                ids?: components["parameters"]["Ids"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of products. The last page has no `next_cursor`. */
            200: {
                headers: {
                    "apigw-requestid": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductPage"];
                };
            };
            400: components["responses"]["ValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["MissingScope"];
            429: components["responses"]["TooManyRequests"];
            "5XX": components["responses"]["InternalError"];
        };
    };
    getProduct: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the product, which the admin chooses. */
                product_id: components["parameters"]["ProductId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The product. */
            200: {
                headers: {
                    "apigw-requestid": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["MissingScope"];
            404: components["responses"]["ProductNotFound"];
            429: components["responses"]["TooManyRequests"];
            "5XX": components["responses"]["InternalError"];
        };
    };
    putProduct: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the product, which the admin chooses. */
                product_id: components["parameters"]["ProductId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewProduct"];
            };
        };
        responses: {
            /** @description The product was replaced. */
            200: {
                headers: {
                    "apigw-requestid": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            /** @description The product was created. */
            201: {
                headers: {
                    "apigw-requestid": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            400: components["responses"]["ValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            "5XX": components["responses"]["InternalError"];
        };
    };
}
