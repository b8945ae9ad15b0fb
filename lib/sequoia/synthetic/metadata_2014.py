"""Keys and values of a 2014 metadata line; what is unknown has no key."""

from __future__ import annotations

from sequoia.synthetic.chance import Chance
from sequoia.synthetic.metadata_2018 import IMAGES, category_path, title
from sequoia.synthetic.products import Product


def fields_2014(product: Product, chance: Chance) -> dict[str, object]:
    """Return what is written about a product."""
    values: dict[str, object] = {"asin": product.asin, "imUrl": f"{IMAGES}/{product.asin}.jpg"}
    if not chance.pick("description", no_description=0.15):
        values["description"] = f'{product.title}: "as new"\nIt\'s {product.path[-1].lower()}.'
    if not chance.pick("title", no_title=0.03):
        values["title"] = title(product, chance, empty_title=0.04, entity_title=0.1)
    if not chance.pick("price", no_price=0.25):
        values["price"] = product.price
    brand = chance.pick("brand", no_brand=0.3, empty_brand=0.05)
    if brand != "no_brand":
        values["brand"] = "" if brand else product.brand
    if product.also_bought:
        values["related"] = {"also_bought": product.also_bought, "buy_after_viewing": product.also_bought[:1]}
    rank = chance.pick("rank", no_rank=0.1, empty_rank=0.1)
    if rank != "no_rank":
        values["salesRank"] = {} if rank else {product.path[0]: product.rank}
    values["categories"] = _categories(product, chance)
    return values


def _categories(product: Product, chance: Chance) -> list[list[str]]:
    path = category_path(product, chance)
    return [path, path[:1]] if chance.pick("end", two_categories=0.2) else [path]
