"""Stand-ins for the outside world: small servers on 127.0.0.1 that answer, and fail, as the real ones do."""
