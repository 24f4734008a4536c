"""Floor 4a: inbound HTTP. The only status codes and the only URLs that we print."""
