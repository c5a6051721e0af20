/** Rows of the figures of distributions, as `harness_report.figures.histograms` has them. */
import type { Distribution, ModelAnswers, TaskExamples } from "./content";

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

/** Bins from edges: `[start, end, at]`. */
function bins({ edges }: Distribution): [number, number, number][] {
  const ends = edges as number[];
  return ends.slice(1).map((end, at) => [ends[at] as number, end, at]);
}

/** Numbers of examples of each bin, over all classes. */
function totals({ counts }: Distribution): number[] {
  const columns = Object.values(counts);
  return (columns[0] ?? []).map((_, at) => sum(columns.map((each) => each[at] ?? 0)));
}

function similarity(found: Distribution): object[] {
  const { threshold } = found;
  return Object.entries(found.counts).flatMap(([name, counts]) => {
    const total = sum(counts) || 1;
    const last = found.edges.at(-1);
    return [
      ...bins(found).map(([start, end, at]) => {
        const count = counts[at] ?? 0;
        return { name, start, end, count, share: count / total, threshold };
      }),
      // The last step is as wide as the others.
      { name, start: last, end: last, share: 0, count: 0, threshold },
    ];
  });
}

function margin(found: Distribution): object[] {
  const all = totals(found);
  return bins(found).map(([start, end, at]) => ({
    start,
    end,
    count: all[at] ?? 0,
    side: (start + end) / 2 > 0 ? "right" : "wrong",
  }));
}

function rank(found: Distribution): object[] {
  const all = totals(found);
  const names = found.bins.length ? found.bins : bins(found).map(([start, end]) => `${start}–${end}`);
  const total = sum(all) || 1;
  return names.map((name, order) => {
    const count = all[order] ?? 0;
    return { order, name, count, share: count / total };
  });
}

function length(found: Distribution): object[] {
  const all = totals(found);
  return bins(found).flatMap(([start, end, at]) => {
    const quality = found.quality[at] ?? null;
    return quality === null ? [] : [{ start, end, middle: (start + end) / 2, quality, count: all[at] ?? 0 }];
  });
}

const ROWS = { similarity, margin, rank, length };

export function distributionRows(found: Distribution): object[] {
  return ROWS[found.kind](found);
}

export function examplesIn(found: Distribution): number {
  return sum(totals(found));
}

/** Return a row for each example whose gold and answer are numbers. */
export function agreementRows(
  examples: TaskExamples,
  answers: ModelAnswers,
): { id: string; gold: number; predicted: number }[] {
  return examples.ids.flatMap((id, at) => {
    const gold = examples.gold[at];
    const predicted = answers.answers[at];
    return typeof gold === "number" && typeof predicted === "number" ? [{ id, gold, predicted }] : [];
  });
}
