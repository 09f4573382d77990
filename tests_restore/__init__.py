"""The destructive tier: restores that are really performed, proven and cleaned up. One test a promise."""
