/** Rows of the figures of distributions, as `harness_report.figures.histograms` has them. */
import type { Distribution, ModelAnswers, TaskExamples } from "./content";
import { seriesOf } from "./page";

/** Standard errors on either side of a mean that make its 95 % interval. */
const Z = 1.96;
/** Maximum number of characters of the title of an axis: more are cut. */
const LONGEST_TITLE = 46;

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

/** The name of a class; a number alone says nothing: it is gold. */
function className(name: string): string {
  return /^-?[\d.]+$/.test(name) ? `gold ${name}` : name;
}

/** What quality is, as the title of an axis: its first words, where these are few. */
export function axisTitle(quality: string): string {
  const short = quality.split(":")[0] ?? "";
  return short && short.length <= LONGEST_TITLE ? short : "quality";
}

function similarity(found: Distribution): object[] {
  const { threshold } = found;
  return Object.entries(found.counts).flatMap(([own, counts]) => {
    const name = className(own);
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
  const series = seriesOf(found.model);
  return names.map((name, order) => {
    const count = all[order] ?? 0;
    const share = count / total;
    return { order, name: `${name} · ${(100 * share).toFixed(0)} %`, count, share, series };
  });
}

function length(found: Distribution): object[] {
  const all = totals(found);
  const series = seriesOf(found.model);
  return bins(found).flatMap(([start, end, at]) => {
    const quality = found.quality[at] ?? null;
    if (quality === null) return [];
    const error = found.quality_error[at] ?? null;
    const low = error === null ? null : quality - Z * error;
    const high = error === null ? null : quality + Z * error;
    return [{ start, end, middle: (start + end) / 2, quality, low, high, count: all[at] ?? 0, series }];
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
): { id: string; gold: number; predicted: number; series: number }[] {
  const series = seriesOf(answers.model);
  return examples.ids.flatMap((id, at) => {
    const gold = examples.gold[at];
    const predicted = answers.answers[at];
    return typeof gold === "number" && typeof predicted === "number" ? [{ id, gold, predicted, series }] : [];
  });
}
