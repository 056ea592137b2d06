"""Texts as points and topics, without a language model: TF-IDF of character n-grams, cut to a few dimensions.

It sees wording and not meaning: the same question in other words is another point, and another language is
far away.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from llmops_lib.stats.embedding_drift import Points
from llmops_lib.stats.inputs import Integers

_DIMENSIONS = 50
_MOST_FEATURES = 20_000
_MOST_TOPICS = 20
_WORD = r"(?u)\b[^\W\d_]{3,}\b"


def text_points(texts: Sequence[str], *, dimensions: int = _DIMENSIONS) -> Points:
    """One point of length one per text; texts of alike wording lie close.

    Character n-grams of 3 to 5 within words, sublinear TF-IDF, truncated singular value decomposition. Fit
    reference and fresh texts together: dimensions are those of the texts given.

    Args:
        texts: Texts; an empty one is the point at the origin.
        dimensions: Most dimensions.

    Source:
        scikit-learn: `TfidfVectorizer`, `TruncatedSVD`; Deerwester et al., JASIS 41 (1990).

    Example:
        >>> texts = ["refund my order", "refund the orders", "weather in Oslo", "weather in Bergen"]
        >>> points = text_points(texts, dimensions=2)
        >>> alike, other = points[0] @ points[1], points[0] @ points[2]
        >>> bool(alike > 0.9 > 0.1 > other)
        True
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    least = 2 if len(texts) > 1_000 else 1
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), min_df=least, max_features=_MOST_FEATURES, sublinear_tf=True
    )
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError:  # no text holds a single n-gram
        return np.zeros((len(texts), 1))
    most = min(dimensions, weights.shape[0] - 1, weights.shape[1] - 1)
    if most < 1:
        return np.asarray(weights.todense(), dtype=np.float64)
    points = TruncatedSVD(most, random_state=0).fit_transform(weights)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return np.asarray(points / np.where(lengths > 1e-12, lengths, 1.0), dtype=np.float64)


def topic_codes(points: Points, *, most: int = _MOST_TOPICS) -> Integers:
    """The topic of each point, from 0 up: k-means with about `sqrt(n / 2)` centres, seeded.

    Args:
        points: Points in rows.
        most: Most topics.

    Source:
        scikit-learn: `KMeans`; Lloyd, IEEE Trans. Inform. Theory 28 (1982).

    Example:
        >>> codes = topic_codes(np.array([[0.0], [0.1], [5.0], [5.1], [0.05], [5.05], [0.0], [5.0]]))
        >>> len(set(codes[[0, 1, 4, 6]])), len(set(codes))
        (1, 2)
    """
    from sklearn.cluster import KMeans

    distinct = len(np.unique(points, axis=0))
    centres = min(most, distinct, max(2, round((len(points) / 2) ** 0.5))) if distinct > 1 else 1
    found = KMeans(centres, n_init=4, random_state=0).fit_predict(points)
    return np.asarray(found, dtype=np.int64)


def topic_terms(texts: Sequence[str], codes: Any, *, n: int = 4) -> list[str]:
    """What tells each topic from the others: its words of highest mean TF-IDF.

    Args:
        texts: Texts, fit to be shown.
        codes: Topic of each.
        n: Words per topic.

    Example:
        >>> topic_terms(["refund order", "refund", "rain"], [0, 0, 1], n=1)
        ['refund', 'rain']
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    topics = np.asarray(codes)
    vectorizer = TfidfVectorizer(token_pattern=_WORD, max_features=_MOST_FEATURES)
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError:  # no text holds a word
        return ["" for _ in range(int(topics.max(initial=-1)) + 1)]
    words = vectorizer.get_feature_names_out()
    named = []
    for topic in range(int(topics.max(initial=-1)) + 1):
        means = np.asarray(weights[np.flatnonzero(topics == topic)].mean(axis=0)).ravel()
        best = [at for at in np.argsort(-means, kind="stable")[:n] if means[at] > 0]
        named.append(", ".join(words[best]))
    return named
