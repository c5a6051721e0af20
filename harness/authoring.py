"""Names that plugin authors import besides those of `harness`: kinds of task, schemes of models, rows."""

from harness.system.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "comparison.result": "Comparison GateLine MetricComparison Selection",
        "comparison.result_overall": "Forgetting Overall",
        "encoding.cache_folder": "default_folder",
        "errors": "nearest",
        "execution.unit_runner": "UnitRunner",
        "metrics.judgments": "Judged TieOrder",
        "metrics.ranking": "Ranking rank",
        "metrics.tie_findings": "RankedTexts find_tie_order",
        "models.interface": "LocatedModel ModelFacts ModelScheme ModelSpec",
        "plugins.executor": "Executor ExecutorRequest UnitDone WorkerEnded WorkerReady Workers",
        "plugins.report_writer": "ReportWriter",
        "plugins.tracker": "TrackedEnd TrackedModel TrackedRecord Tracker TrackerRun",
        "render": "CONTROL named number one_line percent plural shortened verb",
        "report.content": "Answer ComparedWith Doubt ReportBoard ReportContent ReportFinding ReportMean"
        " ReportModel ReportRanked ReportRanking ReportRow ReportRun ReportScore SetApart TradeOff",
        "report.distributions": "Distribution",
        "report.examples": "ModelAnswers RankedDocuments TaskExamples",
        "report.training": "CurvePoint TrainingReport",
        "results.significance_tables": "rank_text",
        "short_names": "short_names",
        "stats.intervals": "estimate seed_from",
        "system.environment": "cores",
        "system.extras": "import_extra require_extra",
        "system.stored_texts": "StoredTexts StoredTextsWriter",
        "system.text_file": "read_text",
        "system.work_unit": "Failure Outcome WorkUnit WorkerFacts WorkerSetup",
        "tasks.dataset": "connected_components",
        "tasks.hub": "HubDataset",
        "tasks.interface": "AggregateTask TaskDefinition TaskKind TaskOption TaskScheme",
        "tasks.repeats": "merge_repeated",
        "tasks.readers": "ClassName Columns as_floats as_ids as_texts find_files missing_parts"
        " numbered read_json read_row_batches",
    },
)
