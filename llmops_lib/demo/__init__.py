"""A synthetic export to try the workbench on: a believable six weeks with events planted to be found."""

from llmops_lib.demo.experiment import DEMO_EXPERIMENT, demo_scores
from llmops_lib.demo.judgements import simulated_judgements
from llmops_lib.demo.planted import PlantedEvent
from llmops_lib.demo.sample import sample_agents, sample_experiment, sample_export, sample_months
from llmops_lib.demo.write import DemoFacts, write_demo

__all__ = [
    "DEMO_EXPERIMENT",
    "DemoFacts",
    "PlantedEvent",
    "demo_scores",
    "sample_agents",
    "sample_experiment",
    "sample_export",
    "sample_months",
    "simulated_judgements",
    "write_demo",
]
