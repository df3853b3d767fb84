"""In-memory stand-ins of AWS's clients. They judge conditions and answer errors as the services do."""
