"""Did the arms get the users they should have? Sample-ratio mismatch."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import counts, numbers, same_length
from llmops_lib.stats.results import Reason

MISMATCH_BELOW = 0.001
_EXACT_BELOW = 1_000


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Tests of the numbers of users against the planned split.

    Attributes:
        p_value: The one to use: exact below 1,000 users in two arms, else chi-square; None without users.
        p_exact: Exact binomial p value; None for more than two arms.
        p_chi2: Chi-square p value.
        is_mismatch: `p_value` below 0.001: the experiment is void, whatever its effect.
        n: Users.
        reasons: Why something is None.
    """

    p_value: float | None
    p_exact: float | None
    p_chi2: float | None
    is_mismatch: bool
    n: int
    reasons: tuple[Reason, ...] = ()


def sample_ratio(users: Sequence[int], planned: Sequence[float]) -> SampleRatio:
    """Whether the arms hold as many users as planned, up to chance.

    Chi-square of observed against planned; with two arms the exact binomial too. Also right for shares of
    calls without a cost, or of judged calls, that should be alike in both arms.

    Args:
        users: Users per arm.
        planned: Planned split, in any unit: `[1, 1]`, `[0.9, 0.1]`.

    Raises:
        EstimateError: If a count is no whole number, a planned share not positive, or lengths differ.

    Source:
        Fabijan et al., Diagnosing Sample Ratio Mismatch (KDD 2019); SciPy's `binomtest` and `chisquare`.

    Example:
        >>> round(sample_ratio([97, 94], [1, 1]).p_value, 4), sample_ratio([900, 700], [1, 1]).is_mismatch
        (0.885, True)
    """
    found, split = counts(users, "users"), numbers(planned, "planned split")
    arms = same_length(users=found, planned=split)
    if arms < 2 or (split <= 0).any():
        msg = (
            f"{arms} arms with planned split {list(planned)}; expected two or more arms with positive shares"
        )
        raise EstimateError(msg)
    n = int(found.sum())
    if n == 0:
        return SampleRatio(None, None, None, False, 0, (Reason.N_TOO_SMALL,))
    from scipy.stats import binomtest, chisquare

    expected = split / split.sum() * n
    p_chi2 = float(chisquare(found, expected).pvalue)
    share = float(split[0] / split.sum())
    p_exact = float(binomtest(int(found[0]), n, share).pvalue) if arms == 2 else None
    p = p_exact if p_exact is not None and n < _EXACT_BELOW else p_chi2
    return SampleRatio(p, p_exact, p_chi2, p < MISMATCH_BELOW, n)
