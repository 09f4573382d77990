"""pytest: everything that the suite needs comes from the plugin, so that it also works away from this checkout."""

pytest_plugins = ["pytester"]
