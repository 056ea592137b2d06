"""The exception tree of the library; every message says what was found, where, what was expected, what to do.

```
LlmopsError(ValueError)
├── SourceError            an export cannot be read at all
│   ├── SourceNotFoundError     no such path, or a pattern that matches nothing
│   ├── UnknownFormatError      the content matches no known format
│   └── BadLineError            a bad line, where the caller asked for `on_bad="raise"`
├── FetchError             a server cannot be pulled from: a refused address, a missing key, no such project
│   └── IncompleteFetchError    a pull that ended before the file held every row that the server announced
├── EndpointError          a model cannot be called: a refused address, a missing key, no usable answer
├── SchemaError            a table does not have the declared columns, dtypes, key or nullability
│   └── MissingColumnError      a measure or view lacks a column it uses
├── PriceError             a price list that cannot be read or contradicts itself
├── BudgetError            budgets that cannot be read or say what cannot be
│   └── BreakerOpenError        a call that a circuit breaker refuses
├── StoreError             a span store that cannot be opened, written or trusted
├── AlertError             alert rules that say what cannot be, or a record of alerts that cannot be kept
├── SearchError            a search that nothing can meet: an empty text, an end before the start
├── PeriodError            a period that cannot be parsed
│   └── EmptyPeriodError        a period that holds no spans; the message lists those that do
├── EstimateError          an estimate was asked of numbers that cannot give it
├── ReportError            a report that could not be run, checked or written
│   └── ParameterError          an unknown or ill-typed report parameter
├── OverlapError           what was observed says nothing of what is asked
├── PromptError            a prompt that cannot be found, read or rendered
│   ├── TemplateError           a template that asks for more than a prompt may, or does not end
│   └── PromptInputError        inputs that do not fit the input schema of a prompt
├── ToolError              a tool definition that cannot be read or is no JSON Schema
├── SuiteError             a suite that cannot be found or read, or holds a case twice
│   └── LockedSuiteError        a suite that is not as it was locked
├── PolicyError            a policy that cannot be read, or an endpoint that it does not let anything go to
├── AuditError             an audit log that cannot be written or trusted; nothing is done without its record
├── IncidentError          an incident that cannot be told, or a playbook says what cannot be
│   └── NoIncidentError         no incident is where one was asked for; the message lists those there are
├── GateError              a gate that is asked for a level, a margin or a metric that cannot be
├── ExperimentError        experiments that cannot be read, or a user that cannot be assigned
├── ComparisonError        a comparison that is asked for an arm, a level or a metric that cannot be
├── RevisionError          git is missing, or knows no such revision
└── EngineError            a dataframe engine lacks an expression that a measure needs
```
"""


class LlmopsError(ValueError):
    """Base of every error that this library raises on purpose."""


class SourceError(LlmopsError):
    """An export cannot be read at all."""


class SourceNotFoundError(SourceError):
    """No such path, or a pattern that matches nothing."""


class UnknownFormatError(SourceError):
    """The content of a file matches no known format."""


class BadLineError(SourceError):
    """A line could not become a span and the caller asked for `on_bad="raise"`."""


class FetchError(LlmopsError):
    """A server cannot be pulled from as asked.

    Attributes:
        status: HTTP status that the server answered with, where it was one.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class IncompleteFetchError(FetchError):
    """A pull ended before the file held every row that the server announced.

    Attributes:
        rows_expected: Rows that the server announced; None while that is not known.
        rows_received: Rows in the file, or in the partial file of a pull that can go on.
    """

    rows_expected: int | None = None
    rows_received: int | None = None


class EndpointError(LlmopsError):
    """A model behind an endpoint cannot be called, or gave no usable answer.

    Attributes:
        status: HTTP status that the endpoint answered with, where it was one.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class SchemaError(LlmopsError):
    """A table does not have the declared columns, dtypes, key or nullability."""


class MissingColumnError(SchemaError):
    """A measure or view was given a table without a column that it uses."""


class PriceError(LlmopsError):
    """A price list cannot be read or contradicts itself."""


class BudgetError(LlmopsError):
    """Budgets cannot be read or say what cannot be."""


class BreakerOpenError(BudgetError):
    """A circuit breaker refuses a call; the message says what is spent and when it may be tried again."""


class StoreError(LlmopsError):
    """A span store cannot be opened, written or trusted."""


class AlertError(LlmopsError):
    """Alert rules say what cannot be, or the record of alerts cannot be kept."""


class SearchError(LlmopsError):
    """A search asks for what nothing can be."""


class PeriodError(LlmopsError):
    """A reporting period cannot be parsed."""


class EmptyPeriodError(PeriodError):
    """A reporting period holds no spans; the message lists the periods that do."""


class EstimateError(LlmopsError):
    """An estimate was asked of numbers that cannot give it: NaN, lengths that differ, a share above one."""


class ReportError(LlmopsError):
    """A report could not be run, checked or written."""


class ParameterError(ReportError):
    """A report parameter is unknown or has the wrong type; the message lists the known ones."""


class OverlapError(LlmopsError):
    """A policy does what was never observed, so that nothing can be said of it."""


class PromptError(LlmopsError):
    """A prompt cannot be found, read or rendered."""


class TemplateError(PromptError):
    """A template asks for more than a prompt may, or its rendering grows beyond its bounds."""


class PromptInputError(PromptError):
    """Inputs do not fit the input schema of a prompt; nothing was rendered."""


class ToolError(LlmopsError):
    """A tool definition cannot be read, contradicts itself or is no JSON Schema."""


class SuiteError(LlmopsError):
    """A suite cannot be found or read, or holds a case twice."""


class LockedSuiteError(SuiteError):
    """A suite is not as it was locked; the message names what changed."""


class RevisionError(LlmopsError):
    """Git is missing, or knows no such revision."""


class EngineError(LlmopsError):
    """A dataframe engine lacks an expression that a measure needs."""


class GateError(LlmopsError):
    """A gate is asked for a level, a margin or a metric that cannot be."""


class ComparisonError(LlmopsError):
    """A comparison is asked for an arm, a level or a metric that cannot be."""


class ExperimentError(LlmopsError):
    """Experiments cannot be read or say what cannot be, or there is no user to assign."""


class PolicyError(LlmopsError):
    """A data-handling policy cannot be read, or does not let anything go to an endpoint."""


class AuditError(LlmopsError):
    """An audit log cannot be written or trusted; what it should have recorded was not done."""


class IncidentError(LlmopsError):
    """An incident cannot be told, or a playbook says what cannot be."""


class NoIncidentError(IncidentError):
    """No incident is where one was asked for; the message lists those there are."""
