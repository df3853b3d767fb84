// Generated from contracts/ by `make client`. Do not edit.

/** The operations of the contract, with the examples of their responses. */
export const OPERATIONS = {
  "createUser": {
    "api": "rest",
    "method": "post",
    "path": "/users",
    "success": [
      {
        "status": 201,
        "body": {
          "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
          "name": "Ada Lovelace",
          "email": "ada@example.com",
          "created_at": "2026-01-02T03:04:05.678Z"
        }
      }
    ],
    "errors": {
      "ValidationError": {
        "code": "ValidationError",
        "message": "items[1].product_id: teapot has several lines; send one line per product and add up its quantities",
        "details": [
          {
            "pointer": "/items/1/product_id",
            "rule": "uniqueItems",
            "message": "has several lines; send one line per product and add up its quantities"
          }
        ],
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Unauthorized": {
        "code": "Unauthorized",
        "message": "Authorization: must contain a valid ID token of this user pool",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Forbidden": {
        "code": "Forbidden",
        "message": "The request was refused by the firewall.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "UserAlreadyExists": {
        "code": "UserAlreadyExists",
        "message": "profile: already exists; each user can have only one profile",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "PayloadTooLarge": {
        "code": "PayloadTooLarge",
        "message": "body: too large; at most 16384 bytes",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "UnsupportedMediaType": {
        "code": "UnsupportedMediaType",
        "message": "Content-Type: must be application/json",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "TooManyRequests": {
        "code": "TooManyRequests",
        "message": "The service is too busy; wait, then retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Timeout": {
        "code": "Timeout",
        "message": "The response took too long; the request may have been processed.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InternalError": {
        "code": "InternalError",
        "message": "The request failed because of an internal error; retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      }
    }
  },
  "getUser": {
    "api": "rest",
    "method": "get",
    "path": "/users/{user_id}",
    "success": [
      {
        "status": 200,
        "body": {
          "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
          "name": "Ada Lovelace",
          "email": "ada@example.com",
          "created_at": "2026-01-02T03:04:05.678Z"
        }
      }
    ],
    "errors": {
      "Unauthorized": {
        "code": "Unauthorized",
        "message": "Authorization: must contain a valid ID token of this user pool",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Forbidden": {
        "code": "Forbidden",
        "message": "The request was refused by the firewall.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "UserNotFound": {
        "code": "UserNotFound",
        "message": "user: not found",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "TooManyRequests": {
        "code": "TooManyRequests",
        "message": "The service is too busy; wait, then retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Timeout": {
        "code": "Timeout",
        "message": "The response took too long; the request may have been processed.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InternalError": {
        "code": "InternalError",
        "message": "The request failed because of an internal error; retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      }
    }
  },
  "listOrders": {
    "api": "rest",
    "method": "get",
    "path": "/orders",
    "success": [
      {
        "status": 200,
        "body": {
          "orders": [
            {
              "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
              "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
              "status": "CONFIRMED",
              "items": [
                {
                  "product_id": "teapot",
                  "quantity": 2,
                  "unit_price": 4800,
                  "name": "Tetsubin teapot"
                }
              ],
              "total": 9600,
              "currency": "JPY",
              "created_at": "2026-01-02T03:04:05.678Z",
              "updated_at": "2026-01-02T03:04:06.012Z"
            }
          ],
          "next_cursor": "djE6M2YwYzdiMjEtOWYwZS01YThjLTlkNTMtNmYxYjBkNmY1MmE4"
        }
      }
    ],
    "errors": {
      "ValidationError": {
        "code": "ValidationError",
        "message": "items[1].product_id: teapot has several lines; send one line per product and add up its quantities",
        "details": [
          {
            "pointer": "/items/1/product_id",
            "rule": "uniqueItems",
            "message": "has several lines; send one line per product and add up its quantities"
          }
        ],
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Unauthorized": {
        "code": "Unauthorized",
        "message": "Authorization: must contain a valid ID token of this user pool",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Forbidden": {
        "code": "Forbidden",
        "message": "The request was refused by the firewall.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "TooManyRequests": {
        "code": "TooManyRequests",
        "message": "The service is too busy; wait, then retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Timeout": {
        "code": "Timeout",
        "message": "The response took too long; the request may have been processed.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InternalError": {
        "code": "InternalError",
        "message": "The request failed because of an internal error; retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      }
    }
  },
  "createOrder": {
    "api": "rest",
    "method": "post",
    "path": "/orders",
    "success": [
      {
        "status": 202,
        "body": {
          "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
          "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
          "status": "PENDING",
          "items": [
            {
              "product_id": "teapot",
              "quantity": 2
            }
          ],
          "created_at": "2026-01-02T03:04:05.678Z",
          "updated_at": "2026-01-02T03:04:05.678Z"
        }
      },
      {
        "status": 202,
        "body": {
          "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
          "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
          "status": "CONFIRMED",
          "items": [
            {
              "product_id": "teapot",
              "quantity": 2,
              "unit_price": 4800,
              "name": "Tetsubin teapot"
            }
          ],
          "total": 9600,
          "currency": "JPY",
          "created_at": "2026-01-02T03:04:05.678Z",
          "updated_at": "2026-01-02T03:04:06.012Z"
        }
      }
    ],
    "errors": {
      "ValidationError": {
        "code": "ValidationError",
        "message": "items[1].product_id: teapot has several lines; send one line per product and add up its quantities",
        "details": [
          {
            "pointer": "/items/1/product_id",
            "rule": "uniqueItems",
            "message": "has several lines; send one line per product and add up its quantities"
          }
        ],
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Unauthorized": {
        "code": "Unauthorized",
        "message": "Authorization: must contain a valid ID token of this user pool",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Forbidden": {
        "code": "Forbidden",
        "message": "The request was refused by the firewall.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "IdempotencyConflict": {
        "code": "IdempotencyConflict",
        "message": "Idempotency-Key: already used with a different body; use a new key for a new order",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "PayloadTooLarge": {
        "code": "PayloadTooLarge",
        "message": "body: too large; at most 16384 bytes",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "UnsupportedMediaType": {
        "code": "UnsupportedMediaType",
        "message": "Content-Type: must be application/json",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "TooManyRequests": {
        "code": "TooManyRequests",
        "message": "The service is too busy; wait, then retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Timeout": {
        "code": "Timeout",
        "message": "The response took too long; the request may have been processed.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InternalError": {
        "code": "InternalError",
        "message": "The request failed because of an internal error; retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      }
    }
  },
  "getOrder": {
    "api": "rest",
    "method": "get",
    "path": "/orders/{order_id}",
    "success": [
      {
        "status": 200,
        "body": {
          "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
          "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
          "status": "PENDING",
          "items": [
            {
              "product_id": "teapot",
              "quantity": 2
            }
          ],
          "created_at": "2026-01-02T03:04:05.678Z",
          "updated_at": "2026-01-02T03:04:05.678Z"
        }
      },
      {
        "status": 200,
        "body": {
          "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
          "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
          "status": "CONFIRMED",
          "items": [
            {
              "product_id": "teapot",
              "quantity": 2,
              "unit_price": 4800,
              "name": "Tetsubin teapot"
            }
          ],
          "total": 9600,
          "currency": "JPY",
          "created_at": "2026-01-02T03:04:05.678Z",
          "updated_at": "2026-01-02T03:04:06.012Z"
        }
      },
      {
        "status": 200,
        "body": {
          "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
          "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
          "status": "REJECTED",
          "items": [
            {
              "product_id": "teapot",
              "quantity": 2
            }
          ],
          "reason": {
            "code": "OutOfStock",
            "message": "Not enough in stock: teapot",
            "details": [
              {
                "product_id": "teapot",
                "requested": 2,
                "available": 1
              }
            ]
          },
          "created_at": "2026-01-02T03:04:05.678Z",
          "updated_at": "2026-01-02T03:04:06.012Z"
        }
      },
      {
        "status": 200,
        "body": {
          "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
          "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
          "status": "FAILED",
          "items": [
            {
              "product_id": "teapot",
              "quantity": 2
            }
          ],
          "reason": {
            "code": "InternalError",
            "message": "The order could not be processed because of an internal error; place it again"
          },
          "created_at": "2026-01-02T03:04:05.678Z",
          "updated_at": "2026-01-02T03:04:06.012Z"
        }
      },
      {
        "status": 200,
        "body": {
          "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
          "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
          "status": "CANCELLED",
          "items": [
            {
              "product_id": "teapot",
              "quantity": 2,
              "unit_price": 4800,
              "name": "Tetsubin teapot"
            }
          ],
          "total": 9600,
          "currency": "JPY",
          "created_at": "2026-01-02T03:04:05.678Z",
          "updated_at": "2026-01-02T03:04:09.345Z"
        }
      }
    ],
    "errors": {
      "Unauthorized": {
        "code": "Unauthorized",
        "message": "Authorization: must contain a valid ID token of this user pool",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Forbidden": {
        "code": "Forbidden",
        "message": "The request was refused by the firewall.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "OrderNotFound": {
        "code": "OrderNotFound",
        "message": "order: not found",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "TooManyRequests": {
        "code": "TooManyRequests",
        "message": "The service is too busy; wait, then retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Timeout": {
        "code": "Timeout",
        "message": "The response took too long; the request may have been processed.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InternalError": {
        "code": "InternalError",
        "message": "The request failed because of an internal error; retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      }
    }
  },
  "cancelOrder": {
    "api": "rest",
    "method": "post",
    "path": "/orders/{order_id}/cancel",
    "success": [
      {
        "status": 200,
        "body": {
          "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
          "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
          "status": "CANCELLED",
          "items": [
            {
              "product_id": "teapot",
              "quantity": 2,
              "unit_price": 4800,
              "name": "Tetsubin teapot"
            }
          ],
          "total": 9600,
          "currency": "JPY",
          "created_at": "2026-01-02T03:04:05.678Z",
          "updated_at": "2026-01-02T03:04:09.345Z"
        }
      }
    ],
    "errors": {
      "Unauthorized": {
        "code": "Unauthorized",
        "message": "Authorization: must contain a valid ID token of this user pool",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Forbidden": {
        "code": "Forbidden",
        "message": "The request was refused by the firewall.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "OrderNotFound": {
        "code": "OrderNotFound",
        "message": "order: not found",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InvalidTransition": {
        "code": "InvalidTransition",
        "message": "status: CANCELLED cannot become CANCELLED; allowed: no change",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "TooManyRequests": {
        "code": "TooManyRequests",
        "message": "The service is too busy; wait, then retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Timeout": {
        "code": "Timeout",
        "message": "The response took too long; the request may have been processed.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InternalError": {
        "code": "InternalError",
        "message": "The request failed because of an internal error; retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      }
    }
  },
  "processOrder": {
    "api": "rest",
    "method": "post",
    "path": "/process",
    "success": [
      {
        "status": 200,
        "body": {
          "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
          "user_id": "5a9d3c1e-2b4f-4c8d-9e6a-7f1b0c2d3e4f",
          "status": "CONFIRMED",
          "items": [
            {
              "product_id": "teapot",
              "quantity": 2,
              "unit_price": 4800,
              "name": "Tetsubin teapot"
            }
          ],
          "total": 9600,
          "currency": "JPY",
          "created_at": "2026-01-02T03:04:05.678Z",
          "updated_at": "2026-01-02T03:04:06.012Z"
        }
      }
    ],
    "errors": {
      "ValidationError": {
        "code": "ValidationError",
        "message": "items[1].product_id: teapot has several lines; send one line per product and add up its quantities",
        "details": [
          {
            "pointer": "/items/1/product_id",
            "rule": "uniqueItems",
            "message": "has several lines; send one line per product and add up its quantities"
          }
        ],
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Unauthorized": {
        "code": "Unauthorized",
        "message": "Authorization: must contain a valid ID token of this user pool",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Forbidden": {
        "code": "Forbidden",
        "message": "The request was refused by the firewall.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "ProductNotFound": {
        "code": "ProductNotFound",
        "message": "Not in the catalog: teapot",
        "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
        "details": [
          {
            "product_id": "teapot"
          }
        ],
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "OutOfStock": {
        "code": "OutOfStock",
        "message": "Not enough in stock: teapot",
        "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
        "details": [
          {
            "product_id": "teapot",
            "requested": 2,
            "available": 1
          }
        ],
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "PriceChanged": {
        "code": "PriceChanged",
        "message": "The total is 9,800 JPY, but the order expects 9,600 JPY",
        "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
        "details": [
          {
            "expected_total": 9600,
            "total": 9800,
            "currency": "JPY"
          }
        ],
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "IdempotencyConflict": {
        "code": "IdempotencyConflict",
        "message": "Idempotency-Key: already used with a different body; use a new key for a new order",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InvalidTransition": {
        "code": "InvalidTransition",
        "message": "status: CANCELLED cannot become CANCELLED; allowed: no change",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "PayloadTooLarge": {
        "code": "PayloadTooLarge",
        "message": "body: too large; at most 16384 bytes",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "UnsupportedMediaType": {
        "code": "UnsupportedMediaType",
        "message": "Content-Type: must be application/json",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "TooManyRequests": {
        "code": "TooManyRequests",
        "message": "The service is too busy; wait, then retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "ServiceUnavailable": {
        "code": "ServiceUnavailable",
        "message": "The order is accepted but not decided yet; get the order, or retry the request with the same Idempotency-Key.",
        "order_id": "3f0c7b21-9f0e-5a8c-9d53-6f1b0d6f52a8",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Timeout": {
        "code": "Timeout",
        "message": "The response took too long; the request may have been processed.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InternalError": {
        "code": "InternalError",
        "message": "The request failed because of an internal error; retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      }
    }
  },
  "listProducts": {
    "api": "http",
    "method": "get",
    "path": "/products",
    "success": [
      {
        "status": 200,
        "body": {
          "products": [
            {
              "product_id": "teapot",
              "name": "Tetsubin teapot",
              "unit_price": 4800,
              "currency": "JPY",
              "quantity": 12
            }
          ],
          "next_cursor": "djE6dGVhcG90"
        }
      }
    ],
    "errors": {
      "ValidationError": {
        "code": "ValidationError",
        "message": "body.unit_price: got -1; allowed: at least 0",
        "details": [
          {
            "pointer": "/unit_price",
            "rule": "minimum",
            "message": "got -1; allowed: at least 0"
          }
        ],
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Unauthorized": {
        "code": "Unauthorized",
        "message": "token: missing, or without a valid subject; sign in",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "TooManyRequests": {
        "code": "TooManyRequests",
        "message": "The service is too busy; wait, then retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InternalError": {
        "code": "InternalError",
        "message": "The request failed because of an internal error; retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      }
    }
  },
  "getProduct": {
    "api": "http",
    "method": "get",
    "path": "/products/{product_id}",
    "success": [
      {
        "status": 200,
        "body": {
          "product_id": "teapot",
          "name": "Tetsubin teapot",
          "unit_price": 4800,
          "currency": "JPY",
          "quantity": 12
        }
      }
    ],
    "errors": {
      "Unauthorized": {
        "code": "Unauthorized",
        "message": "token: missing, or without a valid subject; sign in",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "ProductNotFound": {
        "code": "ProductNotFound",
        "message": "product: not found",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "TooManyRequests": {
        "code": "TooManyRequests",
        "message": "The service is too busy; wait, then retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InternalError": {
        "code": "InternalError",
        "message": "The request failed because of an internal error; retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      }
    }
  },
  "putProduct": {
    "api": "http",
    "method": "put",
    "path": "/products/{product_id}",
    "success": [
      {
        "status": 200,
        "body": {
          "product_id": "teapot",
          "name": "Tetsubin teapot",
          "unit_price": 4800,
          "currency": "JPY",
          "quantity": 12
        }
      },
      {
        "status": 201,
        "body": {
          "product_id": "teapot",
          "name": "Tetsubin teapot",
          "unit_price": 4800,
          "currency": "JPY",
          "quantity": 12
        }
      }
    ],
    "errors": {
      "ValidationError": {
        "code": "ValidationError",
        "message": "body.unit_price: got -1; allowed: at least 0",
        "details": [
          {
            "pointer": "/unit_price",
            "rule": "minimum",
            "message": "got -1; allowed: at least 0"
          }
        ],
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Unauthorized": {
        "code": "Unauthorized",
        "message": "token: missing, or without a valid subject; sign in",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "Forbidden": {
        "code": "Forbidden",
        "message": "This operation requires the group admin.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "PayloadTooLarge": {
        "code": "PayloadTooLarge",
        "message": "body: too large; at most 16384 bytes",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "UnsupportedMediaType": {
        "code": "UnsupportedMediaType",
        "message": "Content-Type: must be application/json",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "TooManyRequests": {
        "code": "TooManyRequests",
        "message": "The service is too busy; wait, then retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      },
      "InternalError": {
        "code": "InternalError",
        "message": "The request failed because of an internal error; retry the request.",
        "request_id": "6c1f5a3e-7d0b-4a39-9a1e-2f3b7c8d9e01"
      }
    }
  }
} as const;
