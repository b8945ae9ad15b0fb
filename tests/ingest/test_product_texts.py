from __future__ import annotations

import pytest

from sequoia.ingest.formats import product_texts


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("PC World", "PC World"),
        ("Disney &amp; Me", "Disney & Me"),
        ("<b>Bold</b>  title\n", "Bold title"),
        ('<span class="a-size-medium a-color-secondary"', None),
        (' Magazines" />', None),
        ("var x = function () { return 1; }", None),
        ("I &lt;3 you", "I <3 you"),
        ("", None),
        (None, None),
        (["a"], None),
        ("half \ud83d of a pair", "half of a pair"),
    ],
)
def test_text(raw: object, wanted: str | None) -> None:
    found = product_texts.text(raw)
    assert (found and " ".join(found.split())) == wanted


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("by\n    \n    Microsoft", "Microsoft"),
        ("F&amp;W Publications", "F&W Publications"),
        ("Byron", "Byron"),
        ("by the sea", "by the sea"),
        ("", None),
    ],
)
def test_brand(raw: str, wanted: str | None) -> None:
    assert product_texts.brand(raw) == wanted


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("$1,250.00", 1250.0),
        ("$12.99 - $25.00", 12.99),
        ("7", 7.0),
        (9.5, 9.5),
        ("", None),
        ("0", None),
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        (True, None),
        (".a-box-inner{background-color:#fff}#alohaBuyBoxWidget", None),
        ("\n\n\n<script>var price = 5</script>", None),
        (None, None),
    ],
)
def test_price(raw: object, wanted: float | None) -> None:
    assert product_texts.price(raw) == wanted


@pytest.mark.parametrize(
    ("raw", "main", "wanted"),
    [
        (["Beauty", "Hair &amp; Care"], None, ["Beauty", "Hair & Care"]),
        (["Beauty", "Hair", "</span></span></span>", "x"], None, ["Beauty", "Hair"]),
        (["Beauty", "<b>Hair</b>", "Shampoo"], None, ["Beauty"]),
        ([["Sports", "Dancewear"], ["Sports", "Other"]], None, ["Sports", "Dancewear"]),
        ([], "All Beauty", ["All Beauty"]),
        ([], '<img src="https://x.example/a.png" class="nav" alt="AMAZON FASHION"/>', ["AMAZON FASHION"]),
        ([], None, []),
        (None, None, []),
    ],
)
def test_categories(raw: object, main: object, wanted: list[str]) -> None:
    assert product_texts.categories(raw, main) == wanted
