"""Business rules for orders, products and users. They use no AWS service, and receive times and ids as arguments."""
