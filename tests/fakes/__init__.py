"""In-memory fakes of AWS clients. They evaluate conditions and raise errors like the real services."""
