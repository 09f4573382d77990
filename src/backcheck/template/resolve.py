"""Resolves a template for one account, region and stack: parameters, conditions, functions, loops and SAM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from backcheck.errors import Problem
from backcheck.template import sam
from backcheck.template.environment import Environment
from backcheck.template.evaluate import Document, Evaluator, pointer_token
from backcheck.template.load import Template
from backcheck.template.loops import LOOP, expand_loops
from backcheck.template.node import Entry, Map, Node, Plain, RefusedTemplateError, Sequence, TemplateError, text_of
from backcheck.template.parameters import Parameter, parameters_of
from backcheck.template.result import ResolvedOutput, ResolvedResource, ResolvedTemplate, UndecidedResource
from backcheck.template.rules import check_rules
from backcheck.template.value import Removed, Unresolved, Value, references_in, unresolved_in

LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
MAX_RESOURCES = 500
MAX_OUTPUTS = 200
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""

_HARMLESS_TRANSFORMS = frozenset(
    {"AWS::CodeDeployBlueGreen", "AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16"}
)
"""They rewrite ECS services and secrets only:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-reference.html"""
_RESOURCE_ATTRIBUTES = frozenset(
    {
        "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type",
        "UpdatePolicy", "UpdateReplacePolicy",
    }
)  # fmt: skip
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-product-attribute-reference.html"""
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot"),
    "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
}
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html"""


def resolve(
    template: Template, *, parameters: Mapping[str, str] | None = None, environment: Environment | None = None
) -> ResolvedTemplate:
    """The template as it would be deployed into `environment` with `parameters` (lists as one string with commas).

    What cannot be known is Unresolved in the result. Raises RefusedTemplateError for what CloudFormation would refuse
    before it creates anything, and TemplateError for what can be expanded in an account only (macros).
    """
    where = environment or Environment()
    values = parameters_of(template, parameters or {})
    try:
        return _Resolution(template, values, where).run()
    except RecursionError as error:
        raise TemplateError("expressions are nested too deep", file=template.file) from error


def transforms_of(template: Template) -> tuple[str, ...]:
    """The names under Transform, in order. Raises TemplateError for a macro that can run in an account only."""
    node = template.root.get("Transform")
    nodes = () if node is None else node.items if isinstance(node, Sequence) else (node,)
    names = []
    for item in nodes:
        name = text_of(item.get("Name")) if isinstance(item, Map) else text_of(item)
        if name not in {LANGUAGE_EXTENSIONS, sam.TRANSFORM, *_HARMLESS_TRANSFORMS}:
            raise TemplateError(
                f"macro {name} can be expanded in an account only",
                file=template.file,
                mark=item.mark,
                hint="give the processed template: aws cloudformation get-template --template-stage Processed",
            )
        names.append(str(name))
    return tuple(names)


@dataclass(slots=True)
class _Resolution:
    template: Template
    parameters: Mapping[str, Parameter]
    environment: Environment
    unresolved: list[Unresolved] = field(default_factory=list)
    undecided: list[UndecidedResource] = field(default_factory=list)

    def run(self) -> ResolvedTemplate:
        root = self._expanded()
        resources_node, outputs_node = _section(root, "Resources"), _section(root, "Outputs")
        self._check_count(resources_node, MAX_RESOURCES, "resources")
        self._check_count(outputs_node, MAX_OUTPUTS, "outputs")
        evaluator = self._evaluator(root)
        not_judged = tuple(check_rules(root.get("Rules"), evaluator))
        resources = dict(self._resources(resources_node, evaluator))
        outputs = dict(self._outputs(outputs_node, evaluator))
        resources = {name: _with_existing(resource, resources) for name, resource in resources.items()}
        self._collect(resources.values(), outputs.values())
        return ResolvedTemplate(
            file=self.template.file,
            description=text_of(root.get("Description")) or "",
            environment=self.environment,
            parameters=self.parameters,
            resources=resources,
            undecided=tuple(self.undecided),
            outputs=outputs,
            unresolved=tuple(sorted(dict.fromkeys(self.unresolved), key=lambda value: value.line)),
            warnings=tuple(self._warnings(not_judged)),
        )

    def _evaluator(self, root: Map) -> Evaluator:
        document = Document(
            file=self.template.file,
            mappings=_section(root, "Mappings"),
            conditions=_section(root, "Conditions"),
            resources=_section(root, "Resources"),
            language_extensions=LANGUAGE_EXTENSIONS in transforms_of(self.template),
        )
        return Evaluator(document, self.parameters, self.environment)

    def _expanded(self) -> Map:
        """The root with loops in its sections, then SAM, written out: the order in which AWS runs the transforms."""
        for name in ("Resources", "Conditions", "Mappings", "Outputs"):
            self.template.section(name)
        names = transforms_of(self.template)
        root = self.template.root
        if LANGUAGE_EXTENSIONS in names:
            root = self._without_loops(root, deep=sam.TRANSFORM in names)
        shared = root.get("Globals")
        if shared is not None and sam.TRANSFORM not in names:
            raise self._error(f"Globals needs Transform: {sam.TRANSFORM}", shared)
        if sam.TRANSFORM in names:
            known = {name: _plain_value(parameter.value) for name, parameter in self.parameters.items()
                     if not isinstance(parameter.value, Unresolved) and not parameter.no_echo}  # fmt: skip
            root = sam.expand(root, file=self.template.file, parameters=known, region=self.environment.region)
        return root

    def _without_loops(self, root: Map, *, deep: bool) -> Map:
        entries = []
        for entry in root.entries:
            if entry.key in {"Conditions", "Resources", "Outputs"} and isinstance(entry.value, Map):
                evaluate = self._evaluator(root).value
                path = f"/{entry.key}"
                done = expand_loops(entry.value, evaluate, file=self.template.file, path=path, deep=deep)
                self.unresolved += done.unresolved.values()
                entries.append(Entry(entry.key, done.section, entry.mark))
            else:
                entries.append(entry)
        return Map(tuple(entries), root.mark)

    def _resources(self, section: Map, evaluator: Evaluator) -> Iterator[tuple[str, ResolvedResource]]:
        for entry in section.entries:
            if entry.key == "Fn::Transform":
                self.unresolved.append(
                    Unresolved(
                        path="/Resources", line=entry.mark.line, reason="a macro adds resources in the account only"
                    )
                )
                continue
            if entry.key.startswith(LOOP):
                raise self._error("Fn::ForEach needs Transform: AWS::LanguageExtensions", entry.value)
            node = entry.value
            kind = text_of(node.get("Type")) if isinstance(node, Map) else None
            if not isinstance(node, Map) or kind is None:
                raise self._error(f"resource {entry.key} must be a map with a Type", node)
            verdict = evaluator.exists(entry.key)
            if isinstance(verdict, Unresolved):
                self._undecided(entry, kind, verdict)
            elif verdict:
                resource = self._resource(entry, node, kind, evaluator)
                if isinstance(resource, ResolvedResource):
                    yield entry.key, resource
                else:
                    self._undecided(entry, kind, resource)

    def _undecided(self, entry: Entry, kind: str, because: Unresolved) -> None:
        self.unresolved.append(because)
        line = entry.mark.line
        self.undecided.append(UndecidedResource(logical_id=entry.key, type=kind, because=because, line=line))

    def _resource(self, entry: Entry, node: Map, kind: str, evaluator: Evaluator) -> ResolvedResource | Unresolved:
        for attribute in node.entries:
            if attribute.key not in _RESOURCE_ATTRIBUTES:
                raise self._error(
                    f"resource {entry.key}: Encountered unsupported property {attribute.key}", attribute.value
                )
        path = f"/Resources/{pointer_token(entry.key)}"
        lines: dict[str, int] = {}
        body = node.get("Properties")
        properties = {} if body is None else evaluator.value(body, f"{path}/Properties", lines)
        if isinstance(properties, Unresolved):
            return properties
        if not isinstance(properties, (Mapping, Removed)):
            raise self._error(f"resource {entry.key}: Properties must be a map", body or node)
        kept = properties if isinstance(properties, Mapping) else {}
        return ResolvedResource(
            logical_id=entry.key,
            type=kind,
            properties=kept,
            deletion_policy=self._policy(node, "DeletionPolicy", path, evaluator),
            update_replace_policy=self._policy(node, "UpdateReplacePolicy", path, evaluator),
            depends_on=tuple(dict.fromkeys((*self._depends_on(node), *(r.logical_id for r in references_in(kept))))),
            line=entry.mark.line,
            lines={pointer.removeprefix(path): line for pointer, line in lines.items()}
            | {f"/{a.key}": a.mark.line for a in node.entries if a.mark.line},
        )

    def _policy(self, node: Map, attribute: str, path: str, evaluator: Evaluator) -> str:
        written = node.get(attribute)
        value = evaluator.value(written, f"{path}/{attribute}") if written is not None else "Delete"
        if isinstance(value, Removed):
            return "Delete"
        if isinstance(value, Unresolved):
            self.unresolved.append(value)
            return "Delete"  # the policy that protects least
        if value not in _OPTIONS[attribute]:
            raise self._error(f"{path}: {attribute} must be one of {', '.join(_OPTIONS[attribute])}", written or node)
        return str(value)

    def _depends_on(self, node: Map) -> tuple[str, ...]:
        written = node.get("DependsOn")
        nodes = () if written is None else written.items if isinstance(written, Sequence) else (written,)
        names = []
        for item in nodes:
            name = text_of(item)
            if name is None:
                raise self._error("DependsOn takes logical ids", item)
            names.append(name)
        return tuple(names)

    def _outputs(self, section: Map, evaluator: Evaluator) -> Iterator[tuple[str, ResolvedOutput]]:
        for entry in section.entries:
            if entry.key == "Fn::Transform" or not isinstance(entry.value, Map):
                self.unresolved.append(
                    Unresolved(
                        path="/Outputs", line=entry.mark.line, reason=f"{entry.key} is no output that can be read"
                    )
                )
                continue
            verdict = evaluator.holds(entry.value, f"/Outputs/{entry.key}")
            if isinstance(verdict, Unresolved):
                self.unresolved.append(verdict)
            elif verdict:
                yield entry.key, self._output(entry, entry.value, evaluator)

    def _output(self, entry: Entry, node: Map, evaluator: Evaluator) -> ResolvedOutput:
        path = f"/Outputs/{pointer_token(entry.key)}"
        written, export = node.get("Value"), node.get("Export")
        if written is None:
            raise self._error(f"output {entry.key} has no Value", node)
        name = export.get("Name") if isinstance(export, Map) else None
        return ResolvedOutput(
            name=entry.key,
            value=evaluator.settled(written, f"{path}/Value"),
            export_name=None if name is None else evaluator.settled(name, f"{path}/Export/Name"),
            line=entry.mark.line,
        )

    def _collect(self, resources: Iterable[ResolvedResource], outputs: Iterable[ResolvedOutput]) -> None:
        for resource in resources:
            self.unresolved += unresolved_in(resource.properties)
        for output in outputs:
            self.unresolved += unresolved_in(output.value)
            if output.export_name is not None:
                self.unresolved += unresolved_in(output.export_name)

    def _warnings(self, not_judged: tuple[Unresolved, ...]) -> Iterator[Problem]:
        for mark, message in self.template.warnings:
            yield Problem(message=message, line=mark.line, column=mark.column)
        for rule in not_judged:
            yield Problem(message=f"{rule.path} is not judged: {rule.reason}", path=rule.path, line=rule.line)
        hooks = self.template.root.entry("Hooks")
        if hooks:
            yield Problem(message="Hooks are not evaluated", path="/Hooks", line=hooks.mark.line)
        for name in transforms_of(self.template):
            if name in _HARMLESS_TRANSFORMS:
                yield Problem(message=f"transform {name} is not run; it does not touch backups", path="/Transform")

    def _check_count(self, section: Map, most: int, what: str) -> None:
        if len(section.entries) > most:
            raise self._error(f"{len(section.entries)} {what}; CloudFormation takes at most {most}", section)

    def _error(self, message: str, node: Node) -> RefusedTemplateError:
        return RefusedTemplateError(message, file=self.template.file, mark=node.mark)


def _section(root: Map, name: str) -> Map:
    node = root.get(name)
    return node if isinstance(node, Map) else Map(())


def _with_existing(resource: ResolvedResource, resources: Mapping[str, ResolvedResource]) -> ResolvedResource:
    """A DependsOn of a resource that is not created holds nothing up."""
    return replace(resource, depends_on=tuple(name for name in resource.depends_on if name in resources))


def _plain_value(value: Value) -> Plain:
    """A parameter for the translator: a list is one string with commas there."""
    return ",".join(str(item) for item in value) if isinstance(value, tuple) else str(value)
