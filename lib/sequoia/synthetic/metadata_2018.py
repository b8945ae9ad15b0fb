"""Keys and values of a 2018 metadata line, in their real order and with their real oddities."""

from __future__ import annotations

import html

from sequoia.synthetic.chance import Chance
from sequoia.synthetic.products import Product

IMAGES = "https://images.example.com/I"
SPAN_TITLE = '<span class="a-size-medium a-color-secondary"'
STYLE_SHEET = (
    ".a-box-inner{background-color:#fff}#buyBox .selected{background-color:#fffbf3;border-color:#e77600}"
    "#buyBox .price{font-size:17px !important;}"
)


def fields_2018(product: Product, chance: Chance) -> dict[str, object]:
    """Return what is written about a product."""
    images = [f"{IMAGES}/{product.asin}._SX38_SY50_CR,0,0,38,50_.jpg"]
    described = not chance.pick("description", no_description=0.15)
    return {
        "category": _category(product, chance),
        "tech1": "",
        "description": [f"{product.title}.<br />As &#34;new&#34; as it gets.", ""] if described else [],
        "fit": "",
        "title": title(product, chance, span_title=0.05, empty_title=0.01, entity_title=0.1),
        "also_buy": product.also_bought,
        "tech2": "",
        "brand": _brand(product, chance),
        "feature": ["Sturdy", "Wipes <b>clean</b>"] if product.rank % 3 else [],
        "rank": _rank(product, chance),
        "also_view": product.also_bought[:2],
        "details": _details(product, chance),
        "main_cat": _main_category(product, chance),
        "similar_item": "",
        "date": "",
        "price": _price(product, chance),
        "asin": product.asin,
        "imageURL": images,
        "imageURLHighRes": images,
    }


def title(product: Product, chance: Chance, **shares: float) -> str:
    """Return a title in one of the shapes span_title, empty_title, entity_title, or as it is."""
    escaped = html.escape(product.title)
    if escaped == product.title:
        shares = {kind: share for kind, share in shares.items() if kind != "entity_title"}
    kind = chance.pick("title", **shares)
    return {"span_title": SPAN_TITLE, "empty_title": "", "entity_title": escaped}.get(kind, product.title)


def category_path(product: Product, chance: Chance) -> list[str]:
    """Return the path, the upper part of it, or nothing: every depth occurs, the whole one most often."""
    if chance.pick("depth", no_category=0.06):
        return []
    return product.path[: 1 + int(chance.numbers["depth"] * 2 * len(product.path))]


def _category(product: Product, chance: Chance) -> list[str]:
    end = ["</span></span></span>"] if chance.pick("end", span_category=0.1) else []
    return category_path(product, chance) + end


def _brand(product: Product, chance: Chance) -> str:
    kind = chance.pick("brand", brand_with_line_breaks=0.1, no_brand=0.08)
    return {"brand_with_line_breaks": f"by\n    \n    {product.brand}", "no_brand": ""}.get(
        kind, product.brand
    )


def _rank(product: Product, chance: Chance) -> object:
    kind = chance.pick("rank", rank_text=0.5, rank_list=0.3, rank_empty=0.2)
    text = f"{product.rank:,} in {product.path[0]} ("
    if kind == "rank_list":
        return [
            f">#{product.rank:,} in {product.path[0]} (See Top 100)",
            f">#{product.rank % 97 + 1} in {product.path[-1]}",
        ]
    return text if kind == "rank_text" else []


def _details(product: Product, chance: Chance) -> dict[str, str]:
    details = {"Shipping Weight:": "1.2 pounds (", "ASIN: ": product.asin}
    if chance.pick("details", details_with_line_breaks=0.3):
        return {"\n    Product Dimensions: \n    ": "9 x 2 x 1 inches"} | details
    return details


def _main_category(product: Product, chance: Chance) -> str:
    if chance.pick("main", image_main_category=0.1):
        return f'<img src="{IMAGES}/logo.png" class="nav-categ-image" alt="{product.path[0]}" />'
    return product.path[0]


def _price(product: Product, chance: Chance) -> str:
    kind = chance.pick("price", no_price=0.35, style_sheet_price=0.01, script_price=0.005, price_range=0.03)
    if not kind and product.price >= 1000:
        chance.dirt["price_with_comma"] += 1
    shown = f"${product.price:,.2f}"
    odd = {
        "no_price": "",
        "style_sheet_price": STYLE_SHEET,
        "script_price": "\n\n\n<script",
        "price_range": f"{shown} - ${product.price * 2:,.2f}",
    }
    return odd.get(kind, shown)
