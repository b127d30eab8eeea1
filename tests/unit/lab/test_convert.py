from io import StringIO
from pathlib import Path

import pytest

from skytui.lab import reseed
from skytui.lab.command import CommandError
from skytui.lab.convert import BAD_INPUT, NewMaster


def test_three_lines_say_where_the_new_master_is() -> None:
    master = NewMaster.read(StringIO("pass word\n10.0.0.1\r\n41001\nmore\n"))
    assert (master.password, master.address, master.port) == ("pass word", "10.0.0.1", 41001)
    assert master.url == "https://10.0.0.1:41001"
    assert "pass word" not in f"{master} {master!r}"


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert NewMaster.read(StringIO("p\n::1\n41001\n")).url == "https://[::1]:41001"


@pytest.mark.parametrize(
    "text",
    ["", "p\n", "p\nhost\n", "\nhost\n1\n", "p\n\n1\n", "p\nho st\n1\n", "p\nme@host\n1\n", "p\nhost\n0\n",
     "p\nhost\n65536\n", "p\nhost\n-1\n", "p\nhost\n\u0661\n", "p\nhost\n1.0\n"],
)  # fmt: skip
def test_anything_else_is_refused_without_the_password(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        NewMaster.read(StringIO(text.replace("p\n", "s3cret\n")))
    assert caught.value.code == BAD_INPUT
    assert "s3cret" not in str(caught.value)


def test_a_database_larger_than_the_disk_does_not_fit(tmp_path: Path) -> None:
    def source(size: int) -> reseed.Source:
        return reseed.Source("127.0.0.1", 1, "replicator", "s3cret", "sky_a", size)

    assert reseed.space_lacking(source(1), tmp_path) == ""
    assert "make room" in reseed.space_lacking(source(10**18), tmp_path)
    assert "s3cret" not in source(1).connection()
