"""One small file a control; CONTROLS lists them."""
