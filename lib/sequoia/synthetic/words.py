"""Invented names of things: themes, brands, stages, best sellers and rare items."""

from __future__ import annotations

MOODS = """Amber Ancient Copper Crimson Distant Eastern Frosted Gentle Golden Hidden
Ivory Little Misty Northern Quiet Royal Silver Sunlit Velvet Wandering""".split()
PLACES = """Bay Canyon Castle Cottage Creek Forest Garden Harbor Island Lantern
Market Meadow Mill Orchard Prairie Ridge River Station Summit Valley""".split()
BRANDS = """Oakline,Brindlewood,Marrow & Finch,O'Hara's Own,Tindale,Kestrel Bay,Pell & Daughters,Quillon
Farrow's,Larkspur Works,Umberton,Vance & Rook,Wickham,Yarrow Lane,Zephyr House,Aldermoor
Caf\u00e9 Linden,Dunmore,Eaglecroft,Hollin's,Inkwell,Juniper & Co,Nettlefield,Sable Hill""".replace(
    "\n", ","
).split(",")
STAGES = (
    "Starter Set",
    "Builder's Guide",
    "Tools & Parts",
    "Extension Kit",
    "Carrying Case",
    "Collector's Display",
    "Care Pack",
    "Anniversary Edition",
)
BEST_SELLERS = (
    "Everyday Gloves",
    "Gift Box",
    "Storage Tin",
    "Marker Set",
    "Clip Lamp",
    "Repair Tape",
    "Folding Tray",
    "Label Pack",
)


def theme_name(theme: int) -> str:
    """Return the name of a theme; the first 400 differ, later ones carry a number."""
    round_, place = divmod(theme, len(MOODS) * len(PLACES))
    mood, shift = place % len(MOODS), place // len(MOODS)
    name = f"{MOODS[mood]} {PLACES[(mood + shift) % len(PLACES)]}"
    return f"{name} {round_ + 1}" if round_ else name


def stage_name(stage: int) -> str:
    """Return the name of a stage within a theme."""
    return STAGES[stage] if stage < len(STAGES) else f"Part {stage + 1}"


def brand_name(theme: int, brand: int) -> str:
    """Return the name of a theme's brand of a popularity rank; a theme's first 24 differ."""
    return BRANDS[(theme * 7 + brand) % len(BRANDS)]


def best_seller_name(rank: int) -> str:
    """Return the name of a best seller."""
    round_, kind = divmod(rank, len(BEST_SELLERS))
    return f"{best_seller_brand(rank)} {BEST_SELLERS[kind]}" + (f" No. {round_ + 1}" if round_ else "")


def best_seller_brand(rank: int) -> str:
    """Return the name of a best seller's brand."""
    return BRANDS[rank % len(BRANDS)]


def rare_item_name(rank: int) -> str:
    """Return the name of a rare item."""
    return f"{MOODS[rank % len(MOODS)]} Oddment {rank + 1}"
