// Written by tests/plugins/report/content_types.py from the schema of ReportContent.

export interface ReportContent {
  title: string;
  /** As they were named. */
  folders: string[];
  /** `harness report …`, which writes it again. */
  command: string;
  /** Version that collected it. */
  harness: string;
  answer: Answer;
  /** The baseline first. */
  models: ReportModel[];
  boards: ReportBoard[];
  schema: 1;
  rankings: ReportRanking[];
  /** Whose pairs letters and ranks hold for. */
  family: "all" | "task";
  /** The given baseline first; empty for a single model. */
  compared: ComparedWith[];
  /** Why some models are no baseline here; empty where all are. */
  not_compared: string;
  trade_off: TradeOff[];
  /** Tasks of the mean. */
  trade_off_tasks: string[];
  distributions: Distribution[];
  examples: TaskExamples[];
  /** Whether texts of rows are in it. */
  texts: boolean;
  trainings: TrainingReport[];
  runs: ReportRun[];
  /** One sentence for each file that could not be read, or does not hold. */
  problems: string[];
}

export interface Answer {
  /** What was compared, in a sentence. */
  compared: string;
  /** That of the exit code of `harness compare`; `no-candidate` for a single model. Of several candidates it is the winner's: with a gate at the level for all of them, without one by its own comparison. That of all candidates is `ComparedWith.outcome`. */
  outcome: "broken" | "fails" | "no-candidate" | "not-comparable" | "passes" | "undecided";
  /** The outcome in words; without a gate nothing passes or fails, and it says what is known instead. */
  standing: string;
  /** Whether a gate or a margin was given. */
  gated: boolean;
  /** The verdict on each candidate, in words: of a selection first, then those with missing results. */
  sentences: string[];
  /** Names of the candidates whose outcome it is; of several, the winner's alone. */
  judged: string[];
  /** What is missing, broken or not comparable of other candidates, a sentence each. */
  others: string[];
  /** Conditions that do not hold first, then undecided ones; of several candidates, those on the winner. */
  gate: GateLine[];
  /** Which level the intervals of these conditions have, and why; empty without conditions. */
  gate_level: string;
  /** The winner of several candidates, its gain after selection, and what having looked at many costs. */
  selection: Selection | null;
  warnings: string[];
  /** The most serious first, then those on most results; what was asked for last. */
  doubts: Doubt[];
}

export interface GateLine {
  rule: "gain" | "margin" | "min" | "throughput";
  /** None for throughput, for a condition over several tasks, and for one that has no line at all. */
  task: string | null;
  metric: string | null;
  threshold: number | null;
  outcome: "broken" | "fails" | "passes" | "undecided";
  /** Whether it passes; an undecided one does if the gate's policy says so. */
  holds: boolean;
  /** The condition and the figures that decide it. */
  sentence: string;
  /** Of which gain over several tasks; None for a single task. */
  over: "mean" | "worst" | null;
  /** The tag of the tasks where `task` is None; None for every task. */
  tag: string | null;
}

export interface Selection {
  /** What it was selected by, in words. */
  by: string;
  /** Whether it is the best of those with the best outcome of the gate (`--by gate`), not of all. */
  by_gate: boolean;
  /** Tasks whose headline gains it was selected by. */
  tasks: string[];
  winner: string;
  fingerprint: string;
  /** The observed gain, which is too high on average: the largest of many. */
  gain: number | null;
  /** The gain without that bias: as often too high as too low; None where a gate chose. */
  estimate: number | null;
  low: number | null;
  /** Ends of the 95 % interval of the winner's true gain, valid after selection. */
  high: number | null;
  /** Other candidates with the same gain; the first by name was selected. */
  tied: string[];
  /** Best first. */
  candidates: Ranked[];
  left_out: LeftOut[];
  /** Confidence level of the winner's lines, which decide its gate; above 0.95 for several candidates. */
  level: number | null;
  /** Tasks on which the winner alone was compared (`--confirm-on`); empty if on those that selected it. */
  confirmed_on: string[];
  sentence: string;
}

export interface Ranked {
  model: string;
  fingerprint: string;
  /** What it was selected by: its gain, or mean gain. */
  gain: number | null;
  low: number | null;
  /** Ends of its own 95 % interval, as if it had been the only candidate. */
  high: number | null;
  /** Probability that its true gain is the largest, from a flat prior: its share of joint draws. */
  probability: number | null;
  /** Whether it is in the set that contains the best candidate with 95 %. */
  among_best: boolean;
  /** Outcome of the gate, at a level corrected for the number of candidates; None without a gate. */
  gate: "broken" | "fails" | "passes" | "undecided" | null;
  /** Whether the gate passes, and a condition of it is undecided and let pass. */
  let_pass: boolean;
}

export interface LeftOut {
  model: string;
  fingerprint: string;
  reason: string;
}

export interface Doubt {
  kind: "broken" | "failed" | "finding" | "not-comparable" | "note" | "sample" | "settings" | "truncated";
  severity: Severity;
  sentence: string;
  /** What to do about it; empty where nothing is known. */
  remedy: string;
  /** Display names; empty for all. */
  models: string[];
  /** Empty for all. */
  tasks: string[];
  /** Share of the report's results that it concerns, in [0, 1]. */
  touched: number | null;
  /** Whether a page may fold it: a note of what was asked for, or on few results. */
  minor: boolean;
}

export type Severity = "error" | "note" | "warning";

export interface ReportModel {
  /** Display name, unique in the report. */
  name: string;
  fingerprint: string;
  parameters: number | null;
  dimensions: number | null;
  max_tokens: number | null;
  /** Of its weights. */
  size_bytes: number | null;
  /** Of one stored embedding. */
  embedding_bytes: number | null;
  device: string | null;
  dtype: string;
  backend: string | null;
  similarity: string | null;
  /** Settings that are not the default, by name, as text. */
  settings: Record<string, string>;
  /** Slowest round, median, fastest; None where it was not timed on the machine of the first timed model. */
  texts_per_second: [number, number, number] | null;
  tokens_per_second: number | null;
  /** Of the model itself. */
  findings: ReportFinding[];
}

export interface ReportFinding {
  code: string;
  severity: Severity;
  message: string;
  remedy: string;
}

export interface ReportBoard {
  /** Unique in the report, of letters, digits, `.`, `-` and `_`: for links. */
  id: string;
  task: string;
  /** Such as `sts`, `triplet`, `clauses`, `retrieval`. */
  kind: string;
  tags: string[];
  /** `sample` (illustrative), `files`, `hub` or `own`. */
  data: string;
  /** Where the rows came from in words, without a path: `files, limit 9`. */
  origin: string;
  split: string;
  limit: number | null;
  version: number;
  digest: string;
  /** The headline first. */
  metrics: string[];
  rows: ReportRow[];
  apart: SetApart[];
  /** What letters and ranks mean, and who has none. */
  remarks: string[];
}

export interface ReportRow {
  /** Display name. */
  model: string;
  status: "broken" | "error" | "ok";
  error: string | null;
  /** The headline first. */
  scores: ReportScore[];
  /** Models that share a letter do not differ significantly; None without letters. */
  letters: string | null;
  /** Ends of the 95 % interval of its rank. */
  rank: [number, number] | null;
  /** Share of redrawn test sets on which it leads. */
  best: number | null;
  /** Of this result. */
  findings: ReportFinding[];
  truncated_texts: number | null;
  /** Shares, in [0, 1]. */
  lost_tokens: number | null;
  key: string;
  /** Content hash. */
  predictions: string | null;
  libraries: Record<string, string>;
  /** What the task learned from other splits, such as `threshold`, as text. */
  fitted: Record<string, string>;
}

export interface ReportScore {
  metric: string;
  score: number | null;
  low: number | null;
  high: number | null;
  examples: number;
  clusters: number;
}

export interface SetApart {
  model: string;
  differences: string[];
}

export interface ReportRanking {
  sample: boolean;
  limit: number | null;
  tasks: string[];
  not_counted: string[];
  tags: string[];
  models: ReportRanked[];
}

export interface ReportRanked {
  model: string;
  average_rank: number | null;
  borda: number | null;
  mean: ReportMean | null;
  rank: [number, number] | null;
  best: number | null;
  tags: Record<string, ReportMean>;
  /** Task → why the model has no comparable score on it. */
  missing: Record<string, string>;
}

export interface ReportMean {
  score: number | null;
  low: number | null;
  high: number | null;
}

export interface ComparedWith {
  /** Display name. */
  baseline: string;
  /** `harness compare …`, which prints the same. */
  command: string;
  outcome: "broken" | "fails" | "not-comparable" | "passes" | "undecided";
  /** Without `changes`: examples are in `ReportContent.examples`. */
  comparisons: Comparison[];
  warnings: string[];
}

export interface Comparison {
  baseline: ModelRef;
  candidate: ModelRef;
  lines: MetricComparison[];
  /** Whether a gate or a margin was given. */
  gated: boolean;
  /** The result in words. */
  sentence: string;
  /** 0 passes, 1 fails, 2 broken, 3 not comparable, 4 undecided. */
  exit_code: number;
  schema: 1;
  gate: GateLine[];
  /** Examples that the gate needs; None without `--power`. */
  gate_plan: GatePlan | null;
  /** Tasks that are not comparable. */
  refused: Refusal[];
  /** One sentence for each result that is missing or cannot be read: always a failure. */
  broken: string[];
  /** Differences in settings, which do not forbid a comparison. */
  settings: Difference[];
  notes: string[];
  /** Keys of differences that `--allow` permitted. */
  allowed: string[];
  /** Number of lines, in all comparisons of the command, over which p and verdict are corrected. */
  tests: number;
  /** Confidence level of all intervals of gains: of the lines, over several tasks, and in the gate. 0.95; higher for a candidate that was selected among several. Throughput and floors have their own. */
  level: number | null;
  /** Number of candidates that `level` is for: those among which this one was selected. */
  candidates: number;
  speed: Speed | null;
  /** Gains over two tasks or more: all of them, and those of each tag of the domain. */
  overall: Overall[];
  forgetting: Forgetting | null;
  changes: Changes[];
  /** Looks at the examples of each task, in the order of the lines; empty without a ledger. */
  looks: Looks[];
}

export interface ModelRef {
  name: string;
  fingerprint: string;
  /** Folder or file of its scores. */
  source: string;
  /** Names of the training seeds that form the candidate; empty for a single model. */
  members: string[];
}

export interface MetricComparison {
  task: string;
  metric: string;
  headline: boolean;
  /** `sample` (illustrative), `files` or `own`. */
  data: string;
  tags: string[];
  baseline: number | null;
  candidate: number | null;
  /** candidate − baseline. */
  gain: number | null;
  low: number | null;
  /** Ends of the line's own interval of the gain, at the comparison's `level`; None where there is none. */
  high: number | null;
  /** Two-sided p-value, not corrected: below 0.05 exactly where an interval of 95 % excludes 0. */
  p: number | null;
  /** p-value corrected over all lines of all comparisons of a command. */
  p_adjusted: number | null;
  /** Better and worse by `p_adjusted`, equivalent by the interval. */
  verdict: "better" | "equivalent" | "inconclusive" | "not tested" | "worse";
  /** The accepted loss; None if none was given. */
  margin: number | null;
  /** Whether the whole interval is above −margin; None without a margin or an interval. */
  within_margin: boolean | null;
  /** The smallest true gain that is called *better* with 80 % power, after the correction for all lines. None where no gain can be: also where the baseline's score leaves no room for it. */
  detectable: number | null;
  /** About how many examples it takes to pass the line's margin with 80 % if the models are equal. With `--power`; two significant digits. None where no number of examples is enough. */
  needed: number | null;
  examples: number;
  /** Independent units. */
  clusters: number;
  /** The statistical test; see docs/statistics.md. */
  test: string;
  /** What is too little to find any gain that the baseline leaves room for, such as `15 positives`. Set where a line is tested and no gain is detectable. */
  too_few: string | null;
  /** Number of equal clusters that tell as much: (Σ size)² / Σ size²; None without predictions. */
  effective_clusters: number | null;
  /** Share of the gain's variance that comes from training seeds, in [0, 1]; None for a single candidate. */
  from_seeds: number | null;
  /** Why there is no test or no interval. */
  reason: string | null;
  /** Set where two models that answer alike could not have passed either: there are too few examples. */
  shortage: Shortage | null;
  /** The example or cluster that carries more than half of the gain's variance; None without one. */
  heaviest: string | null;
  /** Its share of the variance, in (0.5, 1]. */
  heaviest_share: number | null;
  /** Largest share of all examples (or clusters) that may lose without one of them being among these. Set where that could exceed the margin, for means of graded values. */
  unseen: number | null;
  /** Hash of the rows that the baseline was scored on. */
  digest: string;
  /** Maximum number of examples of a limited run; None for all. */
  limit: number | null;
}

export interface Shortage {
  /** Such as `examples`, `clusters`, `positives` or `clusters with positives`. */
  what: string;
  have: number;
  /** About how many pass the margin if no answer differs; None where no number does (a margin of 0). */
  needed: number | null;
}

export interface GatePlan {
  /** The probability that equal models pass with these examples, in [0, 1]; None if no line can be planned. Only margins and required gains count; `sentence` names what is left out. */
  chance: number | null;
  /** About how many times as many examples of every task pass with 80 %; two significant digits. None where no number of examples is enough. */
  times: number | null;
  /** That number of examples, over all tasks that the gate has a margin for. */
  examples: number | null;
  sentence: string;
}

export interface Refusal {
  task: string;
  differences: Difference[];
}

export interface Difference {
  /** Name of the setting; for an examination or a machine, a key of `--allow`. */
  key: string;
  baseline: string;
  candidate: string;
}

export interface Speed {
  /** Texts/s. */
  baseline: number | null;
  /** Texts/s. */
  candidate: number | null;
  /** candidate / baseline; 1 for two models of one encoding. */
  ratio: number | null;
  low: number | null;
  /** Ends of an interval if one bench timed both; else slowest over fastest round, and vice versa. None for two models of one encoding, which have one speed: there is nothing to estimate. */
  high: number | null;
  /** Where the figures come from, in words. */
  source: string;
}

export interface Overall {
  /** The tag of the tasks; None for every task. */
  tag: string | null;
  /** The tasks of the mean in words, such as `samples of 7 tasks` or `2 tasks tagged legal`. */
  which: string;
  /** Whether the data of these tasks are samples (illustrative); they are never taken with real data. */
  samples: boolean;
  mean: Mean;
  /** On the mean, by its own interval. */
  verdict: "better" | "equivalent" | "inconclusive" | "not tested" | "worse";
  /** What *equivalent* means for the mean: the gate's margin for it, else that of each of its tasks. */
  margin: number | null;
  /** The task with the smallest gain. */
  worst: string;
  worst_gain: number | null;
  /** Lower bound of the smallest true gain, wherever that is; it holds for all tasks at once. With 97.5 %, or what else half of the comparison's `level` leaves on one side. */
  worst_low: number | null;
  /** Number of tasks with this verdict; so of those below. */
  better: number;
  worse: number;
  equivalent: number;
  inconclusive: number;
  not_tested: number;
  sentence: string;
}

export interface Mean {
  tasks: string[];
  gain: number | null;
  low: number | null;
  high: number | null;
}

export interface Forgetting {
  /** Tags of the domain. */
  domain: string[];
  inside: Mean | null;
  outside: Mean | null;
  sentence: string;
}

export interface Changes {
  task: string;
  metric: string;
  /** What moved: `answers` (right or wrong), `pairs` (closer to gold or farther) or `queries`. */
  what: string;
  /** Number of examples that improved. */
  gained: number;
  /** Number of examples that got worse. */
  lost: number;
  most_gained: Change[];
  most_lost: Change[];
  slices: Slice[];
}

export interface Change {
  id: string;
  baseline: number | null;
  candidate: number | null;
  gold: string | null;
  /** Text columns of the example, by name. */
  texts: Record<string, string>;
}

export interface Slice {
  /** `cluster`, `length`, `gold` or `truncated`. */
  by: string;
  value: string;
  examples: number;
  clusters: number;
  gain: number | null;
  low: number | null;
  high: number | null;
  /** Corrected over all slices of the line. */
  p_adjusted: number | null;
  /** Whether `p_adjusted` is below 0.05. */
  flagged: boolean;
}

export interface Looks {
  task: string;
  data: string;
  limit: number | null;
  /** Hash of the rows, by which looks are counted. */
  digest: string;
  /** Number of distinct candidates, those of this command included. */
  candidates: number;
  /** Number of those of them that only other commands judged. */
  others: number;
  /** Upper bound of the chance that a candidate without a gain is called better, in [0, 1). The candidates of this command are corrected together, and count as one. */
  false_better: number | null;
  /** Upper bound of the chance that a candidate which loses the margin passes a gate, in [0, 1). With `--select`, the candidates of this command are corrected together, and count as one. */
  lucky_pass: number | null;
}

export interface TradeOff {
  model: string;
  /** Mean headline score over the tasks that all models have. */
  quality: ReportMean;
  /** Slowest round, median, fastest; None where it was not timed like the others. */
  texts_per_second: [number, number, number] | null;
  /** Whether no other model is at least as good in both and better in one. */
  on_front: boolean;
  parameters: number | null;
  dimensions: number | null;
}

export interface Distribution {
  /** `ReportBoard.id`. */
  board: string;
  model: string;
  /** Similarity by class; positive minus negative similarity of triplets; rank of the first relevant document; quality by length of the texts. */
  kind: "length" | "margin" | "rank" | "similarity";
  /** Of the axis, with its unit, in words. */
  label: string;
  /** (bins + 1,) ascending ends of bins; empty where `bins` names them. */
  edges: number[];
  /** Names of bins that are no ranges, such as `not in the first 100`. */
  bins: string[];
  /** Class → (bins,) numbers of examples; the one class without a name is ``. */
  counts: Record<string, number[]>;
  /** (bins,) mean quality of the examples of each bin, of `length`; None where it is empty. */
  quality: (number | null)[];
  /** (bins,) standard error of that mean, over clusters where examples have them; None where there are fewer than two. */
  quality_error: (number | null)[];
  /** What quality is, in words, as in `TaskExamples.quality`; empty for other kinds. */
  quality_of: string;
  /** Similarity from which the model says yes, chosen on the dev split; None where there is none. */
  threshold: number | null;
}

export interface TaskExamples {
  /** `ReportBoard.id`. */
  board: string;
  ids: string[];
  /** Number of examples that are not here: the embedded ones are those that the models differ most on. */
  left_out: number;
  /** The headline, which quality follows. */
  metric: string;
  /** What it is, in words: `1 where right, else 0`, `ndcg@10 of the query`; empty where nothing is known of single examples. */
  quality: string;
  /** Whether quality is 0 or 1, so that an answer flips. */
  flips: boolean;
  /** (examples,); empty where each example is a unit of its own. */
  clusters: string[];
  /** (examples,) characters of the texts. */
  lengths: number[];
  /** (examples,); empty for triplets. */
  gold: (string | number | null)[];
  /** (examples,) rank of gold among all examples, 1 for the highest; empty unless quality is of ranks. */
  gold_ranks: (number | null)[];
  /** What an answer is, in words, such as `similarity`; empty for rankings. */
  answer_of: string;
  /** (queries,) ids of relevant documents, of retrieval. */
  relevant: string[][];
  /** Column → (examples,); empty with `--no-texts`. */
  texts: Record<string, string[]>;
  /** Id → text, as far as its start, of the documents named here; empty where they are not at hand. */
  documents: Record<string, string>;
  /** Why there are no texts of documents, in words; empty where there are, and for other tasks. */
  no_documents: string;
  models: ModelAnswers[];
  /** Display name of a model without answers here → why. */
  absent: Record<string, string>;
}

export interface ModelAnswers {
  /** Display name. */
  model: string;
  /** (examples,) how good that is, higher is better: see `TaskExamples.quality`. */
  quality: (number | null)[];
  /** (examples,) what it said: a similarity, a class, a margin; empty where `documents` say it. */
  answers: (string | number | null)[];
  /** (examples,) rank of each answer among all examples, 1 for the highest; empty unless quality is one of ranks. */
  ranks: (number | null)[];
  /** Of retrieval. */
  documents: RankedDocuments | null;
}

export interface RankedDocuments {
  /** (queries, at most 10), best first. */
  ids: string[][];
  scores: ((number | null)[])[];
}

export interface TrainingReport {
  /** Display name. */
  model: string;
  /** Display name of what it was trained from. */
  base: string;
  /** Name of the loss function. */
  loss: string;
  data: string;
  rows: number;
  steps: number;
  /** The step that was kept; None for the last. */
  best_step: number | null;
  seed: number;
  seconds: number | null;
  /** Settings that are not the default, by name, as text. */
  recipe: Record<string, string>;
  /** Display names from the first base to the candidate. */
  lineage: string[];
  /** Codes of findings that were allowed. */
  findings: string[];
  curve: CurvePoint[];
}

export interface CurvePoint {
  step: number;
  epoch: number | null;
  loss: number | null;
  metrics: Record<string, number>;
}

export interface ReportRun {
  /** The results folder as it was named. */
  folder: string;
  /** To make it again, as a line for a shell. */
  command: string;
  started: string;
  state: string;
  harness: string;
  python: string;
  platform: string;
  processor: string;
  cores: number | null;
  git_commit: string | null;
  libraries: Record<string, string>;
}
