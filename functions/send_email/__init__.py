"""Events of an order -> mails to its owner."""
