"""The digest that proves two tables equal."""
