"""`make generate` writes the tables and figures of the documents from the resource graphs."""
