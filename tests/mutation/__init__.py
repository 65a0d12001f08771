"""Small lies told to one module, to see whether its tests notice."""
