"""Lists that come in pages, read to their end: a whole list or none."""

import asyncio
from urllib.parse import urljoin, urlsplit

from skytui.clock import Instant
from skytui.config.placeholders import text
from skytui.config.reading_spec import PagesSpec
from skytui.drivers.http import Reply, Web
from skytui.drivers.replies import Answer, UnusableError, tree


async def read_pages(
    web: Web, url: str, path: str, pages: PagesSpec, *, reply: str, deadline: float, at: Instant
) -> Answer:
    """The items of all pages, joined; or the first answer that is no 200.

    `url` is the server's own: a next page on another server is not followed. `deadline` is for all of them.
    Raises NotSentError, AnswerLostError, RefusedError as one request does; UnusableError for a list that does
    not end, goes in a circle, or is not whole.
    """
    end = asyncio.get_running_loop().time() + deadline
    items: list[object] = []
    number, here, seen = pages.first, "", set[bytes]()
    for count in range(pages.most):
        if not here:
            here = _at(path, number + count, len(items))
        came = await web.get(here, max(end - asyncio.get_running_loop().time(), 0.001))
        if came.status != 200:
            return Answer(at, code=came.status, content=came.content, complaint=came.message)
        body = tree(came.content, reply)
        new = pages.items.search(body) if pages.items is not None else body
        if not isinstance(new, list):
            raise UnusableError(f"page {count + 1} has no list where `items` says")
        if new and came.content in seen:
            raise UnusableError(f"page {count + 1} is one that came before: the server does not turn pages")
        seen.add(came.content)
        items += new
        if pages.next is not None or pages.link:
            here = _next(url, here, pages, came, body)
            last = not here
        else:
            here, last = "", _is_last(pages, body, new, len(items))
        if last:
            _check_whole(pages, body, len(items))
            return Answer(at, code=200, content=came.content, body=items)
    raise UnusableError(f"it has more than {pages.most} pages, as many as `pages.most` allows")


def _at(path: str, page: int, offset: int) -> str:
    places = {"page": page, "offset": offset}
    return text(path, lambda hole: places.get(hole, "{" + hole + "}"))


def _next(url: str, here: str, pages: PagesSpec, came: Reply, body: object) -> str:
    """The path of the next page; empty when there is none."""
    named = came.next if pages.link else pages.next.search(body) if pages.next is not None else None
    if named in (None, "", False):
        return ""
    if not isinstance(named, str):
        raise UnusableError(f"the next page is named by {type(named).__name__}, not by a path")
    target, own = urlsplit(urljoin(url + here, named)), urlsplit(url)
    if (target.scheme, target.netloc) != (own.scheme, own.netloc):
        raise UnusableError(f"the next page is on another server: {target.scheme}://{target.netloc}")
    return target.path + (f"?{target.query}" if target.query else "")


def _is_last(pages: PagesSpec, body: object, new: list[object], count: int) -> bool:
    if not new:
        return True
    total = _total(pages, body)
    return (total is not None and count >= total) or (pages.size is not None and len(new) < pages.size)


def _check_whole(pages: PagesSpec, body: object, count: int) -> None:
    total = _total(pages, body)
    if total is not None and total != count:
        raise UnusableError(f"the server says {total} items, and its pages hold {count}")


def _total(pages: PagesSpec, body: object) -> int | None:
    if pages.total is None:
        return None
    total = pages.total.search(body)
    if isinstance(total, bool) or not isinstance(total, int):
        raise UnusableError("a page does not say how many items there are where `total` says")
    return total
