"""An execution that ended without its order -> the order FAILED."""
