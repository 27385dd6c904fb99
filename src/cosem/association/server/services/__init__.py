"""The services of the server, each a generator that asks the application process by indications."""
