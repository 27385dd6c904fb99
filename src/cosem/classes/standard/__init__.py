"""The interface classes of the standard, a module for each family."""
