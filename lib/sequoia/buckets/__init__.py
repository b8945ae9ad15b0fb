"""Events brought together by user once, as Arrow, in buckets; from there on integers, bucket by bucket."""
