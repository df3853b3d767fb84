"""In-memory fakes of AWS clients, which evaluate conditions and return errors as the services of AWS do."""
