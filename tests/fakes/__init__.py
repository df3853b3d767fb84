"""In-memory fakes of AWS clients, which evaluate conditions and return errors like the services."""
