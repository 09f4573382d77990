"""CloudFormation templates, resolved lazily: a value that cannot be known is a value that says why."""

from backcheck.template.environment import Environment, OtherStacks
from backcheck.template.load import Template, load, loads
from backcheck.template.node import RefusedTemplateError, TemplateError
from backcheck.template.resolve import resolve
from backcheck.template.result import ResolvedResource, ResolvedTemplate
from backcheck.template.value import Deferred, Reference, Unresolved

__all__ = [
    "Deferred",
    "Environment",
    "OtherStacks",
    "Reference",
    "RefusedTemplateError",
    "ResolvedResource",
    "ResolvedTemplate",
    "Template",
    "TemplateError",
    "Unresolved",
    "load",
    "loads",
    "resolve",
]
