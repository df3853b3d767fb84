"""POST and GET /users: profiles."""
