"""A lineage as people and programs read it: a tree in the terminal, JSON, Graphviz's dot, an HTML page."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from refinebio_assets.cli.lineage_words import details, made, plural, title
from refinebio_assets.pipelines.lineage import FILE, QUANTIFICATION, Group, Lineage, Thing
from refinebio_assets.pipelines.lineage_facts import Facts

_ORDER = (
    *("dataset_bundle", "dataset_matrices", "dataset_request", "gene_expression", "target_quantiles"),
    *("sample_quantifications", QUANTIFICATION, FILE, "transcriptome_index", "platform_annotation"),
    "gene_index",
    *("raw_files", "harmonized_metadata", "experiment_record"),
)


def as_tree(lineage: Lineage, facts: Mapping[Thing, Facts]) -> list[Tree]:
    """Return a tree for each root; what was shown before is not unfolded again."""
    trees = []
    for root in lineage.roots:
        tree = Tree(_styled(root, facts.get(root, {})))
        _grow(tree, root, lineage, facts, {root})
        trees.append(tree)
    return trees


def _grow(
    tree: Tree, thing: Thing, lineage: Lineage, facts: Mapping[Thing, Facts], shown: set[Thing]
) -> None:
    for group in _groups(lineage, thing):
        for neighbor in group.shown:
            if neighbor in shown:
                tree.add(f"{escape(title(neighbor, facts.get(neighbor, {})))} [dim](as above)[/]")
                continue
            shown.add(neighbor)
            _grow(tree.add(_styled(neighbor, facts.get(neighbor, {}))), neighbor, lineage, facts, shown)
        if group.more:
            tree.add(f"[dim]and {escape(plural(group.asset, group.more))} (--all shows them)[/]")


def _styled(thing: Thing, facts: Facts) -> str:
    lines = [f"[bold]{escape(title(thing, facts))}[/]"]
    lines += [f"[dim]{escape(line)}[/]" for line in details(thing, facts)]
    return "\n".join(lines)


def as_json(lineage: Lineage, facts: Mapping[Thing, Facts]) -> str:
    """Return things with their facts, pairs of output and input, and how many are not shown."""
    ids = {thing: _id(thing) for thing in lineage.things()}
    content: dict[str, Any] = {
        "direction": "down" if lineage.down else "up",
        "roots": [ids[root] for root in lineage.roots],
        "things": [
            {"id": ids[thing], "asset": thing.asset, "partition": thing.partition, "version": thing.version}
            | dict(facts.get(thing, {}))
            for thing in ids
        ],
        "edges": [{"output": ids[output], "input": ids[source]} for output, source in _edges(lineage)],
        "not_shown": [
            {"beside": ids[thing], "asset": group.asset, "count": group.more}
            for thing, groups in lineage.next.items()
            for group in groups
            if group.more
        ],
    }
    return json.dumps(content, default=str, indent=2, ensure_ascii=False)


def as_dot(lineage: Lineage, facts: Mapping[Thing, Facts]) -> str:
    """Return a graph in Graphviz's language; arrows go from inputs to outputs."""
    lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box, fontname=Helvetica];"]
    for thing in lineage.things():
        text = "\n".join([title(thing, facts.get(thing, {})), made(thing, facts.get(thing, {}))])
        lines.append(f"  {_quoted(_id(thing))} [label={_quoted(text)}];")
    lines += [f"  {_quoted(_id(source))} -> {_quoted(_id(output))};" for output, source in _edges(lineage)]
    for thing, groups in lineage.next.items():
        for group in groups:
            if group.more:
                rest = f"{_id(thing)} more {group.asset}"
                lines.append(f"  {_quoted(rest)} [label={_quoted(f'{group.more:,} more')}, style=dashed];")
                pair = (_id(thing), rest) if lineage.down else (rest, _id(thing))
                lines.append(f"  {_quoted(pair[0])} -> {_quoted(pair[1])} [style=dashed];")
    return "\n".join([*lines, "}"])


def as_html(lineage: Lineage, facts: Mapping[Thing, Facts]) -> str:
    """Return a page of its own, with parts that fold, and nothing loaded from elsewhere."""
    heading = "What was made from" if lineage.down else "Where it comes from:"
    name = ", ".join(title(root, facts.get(root, {})) for root in lineage.roots)
    body = "\n".join(line for root in lineage.roots for line in _html_lines(root, lineage, facts, set()))
    return _PAGE.format(title=html.escape(f"{heading} {name}"), body=body)


def _html_lines(
    thing: Thing, lineage: Lineage, facts: Mapping[Thing, Facts], shown: set[Thing]
) -> Iterator[str]:
    head = html.escape(title(thing, facts.get(thing, {})))
    if thing in shown:
        yield f"<li>{head} <small>(as above)</small></li>"
        return
    shown.add(thing)
    said = "".join(f"<p>{html.escape(line)}</p>" for line in details(thing, facts.get(thing, {})))
    yield f"<li><details open><summary>{head}</summary>{said}"
    groups = _groups(lineage, thing)
    if groups:
        yield "<ul>"
        for group in groups:
            for neighbor in group.shown:
                yield from _html_lines(neighbor, lineage, facts, shown)
            if group.more:
                yield f"<li><small>and {html.escape(plural(group.asset, group.more))}</small></li>"
        yield "</ul>"
    yield "</details></li>"


def _groups(lineage: Lineage, thing: Thing) -> list[Group]:
    """Return the neighbors of a thing, in the order in which they explain it."""
    places = {asset: place for place, asset in enumerate(_ORDER)}
    return sorted(lineage.direct(thing), key=lambda group: places.get(group.asset, len(places)))


def _edges(lineage: Lineage) -> Iterator[tuple[Thing, Thing]]:
    """Yield each pair of output and input."""
    for thing, groups in lineage.next.items():
        for group in groups:
            for neighbor in group.shown:
                yield (neighbor, thing) if lineage.down else (thing, neighbor)


def _id(thing: Thing) -> str:
    if thing.asset == FILE:
        return f"{FILE}:{thing.partition}"
    return f"{thing.asset}:{thing.partition}@{thing.version}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font-family: system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; line-height: 1.4; }}
ul {{ list-style: none; border-left: 1px solid #bbb; margin: 0 0 0 .4rem; padding-left: 1rem; }}
summary {{ font-weight: 600; cursor: pointer; }}
p {{ margin: 0 0 .1rem 1.1rem; color: #555; font-size: .85rem; overflow-wrap: anywhere; }}
</style></head><body><h1>{title}</h1>
<ul>
{body}
</ul>
</body></html>"""
