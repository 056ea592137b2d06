"""A change of a product of three factors, split between them."""

Three = tuple[float, float, float]


def product_effects(old: Three, new: Three) -> Three:
    """What each factor adds to the change of the product of the three.

    Args:
        old: Factors before.
        new: Factors after.

    Returns:
        For each factor the mean, over all orders of changing the three one by one, of what changing it adds;
        the three add up to the change of the product.

    Source:
        Shapley (1953), A Value for n-Person Games; written out for three factors.

    Example:
        >>> product_effects((10.0, 2.0, 1.0), (20.0, 2.0, 1.0))
        (20.0, 0.0, 0.0)
    """

    def effect(place: int) -> float:
        a, b = (other for other in range(3) if other != place)
        both = (old[a] * old[b] + new[a] * new[b]) / 3 + (old[a] * new[b] + new[a] * old[b]) / 6
        return (new[place] - old[place]) * both

    return effect(0), effect(1), effect(2)
