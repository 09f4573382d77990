"""SAM templates, expanded as AWS expands them, offline.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
AWS's own translator does the work. It is given no client: managed policies come from the map that it ships, and
applications from the Serverless Application Repository stay as they are, since only AWS can fetch them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backcheck.errors import Error
from backcheck.template.node import (
    NOWHERE,
    Entry,
    Map,
    Mark,
    Node,
    Plain,
    RefusedTemplateError,
    Scalar,
    Sequence,
    TemplateError,
    plain,
    text_of,
)

TRANSFORM = "AWS::Serverless-2016-10-31"
APPLICATION = "AWS::Serverless::Application"
_ORIGIN = "BackcheckOrigin"
_NOT_PACKAGED = "s3://code-that-is-not-packaged/"
_CODE = {
    "AWS::Serverless::Api": "DefinitionUri",
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::GraphQLApi": "SchemaUri",
    "AWS::Serverless::HttpApi": "DefinitionUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
"""What `sam package` uploads and rewrites; nothing that decides about backups."""


@dataclass(frozen=True, slots=True)
class _Region:
    """All that the translator asks of a boto3 session."""

    region_name: str


def expand(root: Map, *, file: str, parameters: Mapping[str, Plain], region: str) -> Map:
    """`root` with its SAM resources replaced by what they stand for, marks kept as far as they can be followed.

    `parameters`: the values that are known, by name; a reference to any other is left as it is.
    Raises TemplateError for what SAM refuses, and where the `sandbox` extra is not installed.
    """
    resources = root.get("Resources")
    source = resources if isinstance(resources, Map) else Map(())
    aside = tuple(entry for entry in source.entries if _type_of(entry.value) == APPLICATION)
    document = {entry.key: plain(entry.value) for entry in root.entries if entry.key not in {"Parameters", "Transform"}}
    document["Resources"] = {
        entry.key: _prepared(entry.key, plain(entry.value), document) for entry in source.entries if entry not in aside
    }
    if not document["Resources"]:
        return root
    _name_code(document.get("Globals"))
    translated = _translate(document, file=file, source=source, parameters=parameters, region=region)
    return _rebuilt(root, source, translated, aside)


def _type_of(node: Node) -> str | None:
    return text_of(node.get("Type")) if isinstance(node, Map) else None


def _prepared(logical_id: str, resource: Plain, document: Mapping[str, Plain]) -> Plain:
    """A SAM resource that can be translated unpackaged, and says whose the resources made from it are."""
    if not isinstance(resource, dict) or resource.get("Type") not in _SAM_TYPES:
        return resource
    kind = str(resource["Type"])
    properties = resource.setdefault("Properties", {})
    if isinstance(properties, dict):
        _name_local(properties, _CODE.get(kind, ""))
        if kind == "AWS::Serverless::Function":
            _give_code(properties, document.get("Globals"))
    resource["Metadata"] = {_ORIGIN: logical_id}
    return resource


_SAM_TYPES = frozenset({*_CODE, "AWS::Serverless::SimpleTable", "AWS::Serverless::CapacityProvider"})


def _name_local(properties: dict[str, Plain], key: str) -> None:
    location = properties.get(key)
    if isinstance(location, str) and not location.startswith("s3://"):
        properties[key] = _NOT_PACKAGED + (location.strip("./") or "here")


def _name_code(global_settings: Plain) -> None:
    function = global_settings.get("Function") if isinstance(global_settings, dict) else None
    if isinstance(function, dict):
        _name_local(function, "CodeUri")


def _give_code(properties: dict[str, Plain], global_settings: Plain) -> None:
    """`sam build` takes code from the template's folder where a function names none."""
    shared = global_settings.get("Function") if isinstance(global_settings, dict) else None
    settings = {**(shared if isinstance(shared, dict) else {}), **properties}
    if not settings.keys() & {"CodeUri", "InlineCode", "ImageUri"}:
        if settings.get("PackageType") == "Image":
            properties["ImageUri"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/not-built:latest"
        else:
            properties["CodeUri"] = _NOT_PACKAGED + "here"


def _translate(
    document: dict[str, Plain], *, file: str, source: Map, parameters: Mapping[str, Plain], region: str
) -> dict[str, Plain]:
    try:
        from samtranslator.internal.managed_policies import get_bundled_managed_policy_map
        from samtranslator.model.exceptions import ExceptionWithMessage, InvalidDocumentException
        from samtranslator.parser.parser import Parser
        from samtranslator.translator.arn_generator import ArnGenerator
        from samtranslator.translator.translator import Translator
        from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template
    except ImportError as error:
        raise TemplateError(
            "is a SAM template, and aws-sam-translator is not installed",
            file=file,
            hint="pip install 'backcheck[sandbox]'",
        ) from error
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)  # it logs what it also raises
    given = dict(parameters)
    partition = ArnGenerator.get_partition_name(region)
    policies = get_bundled_managed_policy_map(partition) or {}
    try:
        to_py27_compatible_template(document, given)
        translator = Translator(policies, Parser(), boto_session=_Region(region))
        translated = translator.translate(
            document, given, passthrough_metadata=True, get_managed_policy_map=lambda: policies
        )
    except InvalidDocumentException as error:
        raise _refused(error.causes, file, source) from error
    except ExceptionWithMessage as error:
        raise _refused([error], file, source) from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        # The translator trusts shapes that it does not check.
        raise TemplateError(f"SAM cannot be expanded: {type(error).__name__}: {error}", file=file) from error
    result: dict[str, Plain] = undo_mark_unicode_str_in_template(translated)
    return result


def _refused(causes: list[Error] | list[Exception], file: str, source: Map) -> RefusedTemplateError:
    messages = [str(getattr(cause, "message", cause)) for cause in causes]
    named = (entry.mark for message in messages for entry in source.entries if f"[{entry.key}]" in message)
    return RefusedTemplateError(f"SAM cannot be expanded: {'; '.join(messages)}", file=file, mark=next(named, NOWHERE))


def _rebuilt(root: Map, source: Map, translated: dict[str, Plain], aside: tuple[Entry, ...]) -> Map:
    resources = translated.get("Resources")
    made = resources if isinstance(resources, dict) else {}
    entries = [_resource(logical_id, value, source, root.get("Globals")) for logical_id, value in made.items()]
    rebuilt = {"Resources": Map((*entries, *aside), source.mark)}
    for name in ("Conditions", "Outputs", "Mappings"):
        if name in translated:
            rebuilt[name] = _marked_section(translated[name], root.get(name))
    kept = [entry for entry in root.entries if entry.key not in {*rebuilt, "Globals"}]
    return Map((*kept, *(Entry(name, node) for name, node in rebuilt.items())), root.mark)


def _marked_section(value: Plain, source: Node | None) -> Map:
    node = _Marks((source,) if source else ()).node(value, source, NOWHERE)
    return node if isinstance(node, Map) else Map(())


def _resource(logical_id: str, value: Plain, source: Map, global_settings: Node | None) -> Entry:
    origin = _origin(logical_id, value, source)
    mark = origin.mark if origin else NOWHERE
    body = {key: part for key, part in value.items() if key != "Metadata"} if isinstance(value, dict) else value
    known = tuple(node for node in (origin.value if origin else None, global_settings) if node is not None)
    return Entry(logical_id, _Marks(known).node(body, origin.value if origin else None, mark), mark)


def _origin(logical_id: str, value: Plain, source: Map) -> Entry | None:
    metadata = value.get("Metadata") if isinstance(value, dict) else None
    name = metadata.get(_ORIGIN) if isinstance(metadata, dict) else None
    if isinstance(name, str):
        return source.entry(name)
    named = [entry for entry in source.entries if logical_id.startswith(entry.key)]
    return max(named, key=lambda entry: len(entry.key), default=None)


class _Marks:
    """Finds where a translated value was written: at the same place in its origin, else where the same value stands."""

    def __init__(self, sources: tuple[Node, ...]) -> None:
        self._by_value: dict[str, Mark] = {}
        self._by_entry: dict[tuple[str, str], Mark] = {}
        for source in sources:
            for key, node in _descendants(source):
                written = repr(plain(node))
                self._by_entry.setdefault((key, written), node.mark)
                if not isinstance(node, Scalar):  # a bare `true` says nothing about where it comes from
                    self._by_value.setdefault(written, node.mark)

    def node(self, value: Plain, twin: Node | None, mark: Mark, key: str = "") -> Node:
        """`value` as a node; `twin` is what stands at the same place in the origin, `mark` the parent's place."""
        if twin is not None and repr(plain(twin)) == repr(value):
            return twin
        found = self._by_entry.get((key, repr(value))) or self._by_value.get(repr(value))
        here = found or (twin.mark if twin is not None and isinstance(twin, Map) == isinstance(value, dict) else mark)
        if isinstance(value, dict):
            inside = twin if isinstance(twin, Map) else Map(())
            return Map(tuple(self._entry(str(name), part, inside, here) for name, part in value.items()), here)
        if isinstance(value, list):
            twins = twin.items if isinstance(twin, Sequence) and len(twin.items) == len(value) else (None,) * len(value)
            return Sequence(
                tuple(self.node(part, other, here, key) for part, other in zip(value, twins, strict=True)), here
            )
        return Scalar(value, _text(value), here)

    def _entry(self, name: str, value: Plain, inside: Map, here: Mark) -> Entry:
        twin = inside.entry(name)
        node = self.node(value, twin.value if twin else None, here, name)
        return Entry(name, node, twin.mark if twin else node.mark)


def _text(value: str | int | float | bool | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _descendants(node: Node, key: str = "") -> Iterator[tuple[str, Node]]:
    stack = [(key, node)]
    while stack:
        name, current = stack.pop()
        yield name, current
        if isinstance(current, Map):
            stack.extend((entry.key, entry.value) for entry in reversed(current.entries))
        elif isinstance(current, Sequence):
            stack.extend((name, item) for item in reversed(current.items))
