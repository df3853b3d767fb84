"""Business rules for orders, products and users.

The rules use no AWS service. Times and ids are arguments, so equal arguments always give equal results.
"""
