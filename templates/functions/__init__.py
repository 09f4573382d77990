"""The Lambda handlers that templates/ deploys: parse the event, decide purely, make one call, answer on every path."""
