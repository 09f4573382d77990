"""One file a format; each renders a Run."""
