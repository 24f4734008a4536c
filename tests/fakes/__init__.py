"""Stand-ins for what is outside: servers on 127.0.0.1 that can lie, stall and vanish, and files to serve."""
