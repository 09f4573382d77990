"""The subcommands, one module each; cli.COMMANDS names them."""
