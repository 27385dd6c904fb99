"""The client's side of each service, written once as a generator of APDUs."""
