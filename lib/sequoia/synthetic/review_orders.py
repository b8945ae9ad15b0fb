"""Key orders of review lines in the real files; optional parts bring their own comma."""

from __future__ import annotations

USUAL_2018 = (
    '{{{image}"overall": {stars}, {vote}"verified": {verified}, "reviewTime": "{review_time}", '
    '"reviewerID": "{reviewer}", "asin": "{asin}", {style}{name}{text}{summary}'
    '"unixReviewTime": {unix_time}}}'
)
OTHER_2018 = (
    '{{"reviewerID": "{reviewer}", "asin": "{asin}", {name}{style}{image}"verified": {verified}, {text}'
    '"overall": {stars}, "reviewTime": "{review_time}", {vote}{summary}"unixReviewTime": {unix_time}}}'
)
USUAL_2014 = (
    '{{"reviewerID": "{reviewer}", "asin": "{asin}", {name}"helpful": [{helpful}], {text}'
    '"overall": {stars}, {summary}"unixReviewTime": {unix_time}, "reviewTime": "{review_time}"}}'
)
OTHER_2014 = (
    '{{"asin": "{asin}", "overall": {stars}, "helpful": [{helpful}], {summary}{text}'
    '"reviewerID": "{reviewer}", {name}"reviewTime": "{review_time}", "unixReviewTime": {unix_time}}}'
)
ORDERS = {2014: (USUAL_2014, OTHER_2014), 2018: (USUAL_2018, OTHER_2018)}
STYLES = (
    '"style": {"Format:": " Hardcover"}, ',
    '"style": {"Size:": " 7.0 oz", "Color:": " Moss & Stone"}, ',
    '"style": {"Style:": " Single"}, ',
    '"style": {"Package Quantity:": " 1", "Edition:": " Family"}, ',
)
# At 2 x is verified + says it twice.
VERIFIED = ("false", 'false, "verified": false', "true", 'true, "verified": true')
IMAGE = '"image": ["https://images.example.com/I/71invented._SY88.jpg"], '
