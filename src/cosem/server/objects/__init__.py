"""Interface objects of a server: each binds the declaration of its class to values and behaviour."""
