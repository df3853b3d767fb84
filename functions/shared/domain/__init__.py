"""Business rules for orders, products and users.

The rules use no AWS service, and receive times and ids as arguments. Equal arguments therefore always give equal
results.
"""
