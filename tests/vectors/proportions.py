"""Vectors of one and of two independent proportions."""

from llmops_lib.stats.proportions import agresti_coull, clopper_pearson, jeffreys, wilson
from llmops_lib.stats.two_proportions import barnard_exact_p, fisher_exact_p, proportion_difference
from vectors.paired import limits
from vectors.recipes import recipe


@recipe(wilson, clopper_pearson, jeffreys, agresti_coull, given="k n alpha", asked="wilson")
def one_proportion(inputs, _expected):
    makers = (wilson, clopper_pearson, jeffreys, agresti_coull)
    return {make.__name__: limits(make(inputs["k"], inputs["n"], alpha=inputs["alpha"])) for make in makers}


@recipe(proportion_difference, fisher_exact_p, barnard_exact_p, given="x1 n1 x2 n2", asked="newcombe")
def two_proportions(inputs, _expected):
    four = [inputs[name] for name in ("x1", "n1", "x2", "n2")]
    found = proportion_difference(*four, alpha=inputs["alpha"])
    return {
        "diff": found.diff,
        "newcombe": limits(found.newcombe),
        "wald": limits(found.wald),
        "miettinen_nurminen": limits(found.miettinen_nurminen),
        "fisher_p_two_sided": fisher_exact_p(*four),
        "barnard_p_two_sided": barnard_exact_p(*four),
    }
