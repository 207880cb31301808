"""Real servers, devices and people for the site tests and the demo. Only the standard library and slixmpp."""
