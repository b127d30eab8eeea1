"""A document as one self-contained HTML page, readable without its styles too.

It is built as a tree of elements, so that no text, whoever it comes from, can be taken for markup; it has no
script and refers to nothing outside itself, which its content security policy also forbids.
"""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from skytui.plaintext import plain
from skytui.runbook.report.document import Block, Document, Heading, Lines, Paragraph, Table
from skytui.runbook.report.style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def to_html(document: Document) -> str:
    """The whole page."""
    page = Element("html", lang="en")
    head = SubElement(page, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    SubElement(head, "meta", name="color-scheme", content="light dark")
    _add(head, "title", document.title)
    style = SubElement(head, "style")
    body = SubElement(page, "body")
    _contents(SubElement(body, "header"), document)
    main = SubElement(body, "main")
    for number, block in enumerate(document.blocks):
        _block(main, block, f"part-{number}")
    indent(page, space=" ")
    # Set last: indentation is nothing for a style sheet, nor for lines as they came.
    style.text = f"\n{STYLE}"
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _contents(header: Element, document: Document) -> None:
    _add(header, "h1", document.title)
    navigation = SubElement(header, "nav", {"aria-label": "Parts of this report"})
    parts = SubElement(navigation, "ul")
    for number, block in enumerate(document.blocks):
        if isinstance(block, Heading):
            _add(SubElement(parts, "li"), "a", block.text, href=f"#part-{number}")


def _block(main: Element, block: Block, id: str) -> None:  # noqa: A002 - HTML's
    match block:
        case Heading(text=text):
            _add(main, "h2", text, id=id)
        case Paragraph(text=text, strong=strong):
            paragraph = SubElement(main, "p")
            if strong:
                _add(paragraph, "strong", text)
            else:
                paragraph.text = plain(text)
        case Table():
            _table(main, block)
        case Lines(caption=caption, lines=lines):
            figure = SubElement(main, "figure")
            _add(figure, "figcaption", caption)
            shown = SubElement(figure, "pre", tabindex="0")
            shown.text = "\n" + "\n".join(plain(line) for line in lines)


def _table(main: Element, block: Table) -> None:
    # The region lets a wide table scroll by itself, with the keyboard too.
    region = SubElement(
        main, "div", {"class": "table", "role": "region", "aria-label": plain(block.caption), "tabindex": "0"}
    )
    table = SubElement(region, "table")
    _add(table, "caption", block.caption)
    columns = SubElement(SubElement(table, "thead"), "tr")
    for column in block.columns:
        _add(columns, "th", column, scope="col")
    rows = SubElement(table, "tbody")
    for row in block.rows:
        line = SubElement(rows, "tr")
        for number, cell in enumerate(row):
            if number:
                _add(line, "td", cell)
            else:
                _add(line, "th", cell, scope="row")


def _add(parent: Element, tag: str, text: str, **attributes: str) -> None:
    SubElement(parent, tag, attributes).text = plain(text.replace("\n", " "))
