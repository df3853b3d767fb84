"""The contracts of the platform. The modules use only the standard library, so functions can import them too."""
