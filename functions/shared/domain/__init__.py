"""Business rules for orders, products and users. They use no AWS service, and take times and ids as arguments."""
