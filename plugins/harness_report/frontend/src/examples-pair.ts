/** What two models answered to the examples of a task: which changed, and which of them are shown. */
import type { ModelAnswers, TaskExamples } from "./content";
import { plural, signed } from "./format";
import type { Params } from "./state";

export interface Pair {
  examples: TaskExamples;
  baseline: ModelAnswers;
  candidate: ModelAnswers;
  /** Of each example, quality of the candidate − quality of the baseline; null where one has none. */
  changes: readonly (number | null)[];
}

export type Show = "changed" | "gained" | "lost" | "all";
export const SHOWN: readonly Show[] = ["changed", "gained", "lost", "all"];

export function pair(examples: TaskExamples, baseline: string, candidate: string): Pair | null {
  const find = (name: string) => examples.models.find((each) => each.model === name);
  const left = find(baseline);
  const right = find(candidate);
  if (!left || !right) return null;
  const changes = examples.ids.map((_, at) => difference(left.quality[at], right.quality[at]));
  return { examples, baseline: left, candidate: right, changes };
}

function difference(left: number | null | undefined, right: number | null | undefined): number | null {
  return typeof left === "number" && typeof right === "number" ? right - left : null;
}

/** All examples of the task, of which those of the page are some. */
export const allOf = ({ ids, left_out }: TaskExamples): number => ids.length + left_out;

/** Say how large a change is: of ranks, how many the answer moved. */
export function changeSize(change: number, examples: TaskExamples): string {
  if (!examples.gold_ranks.length) return signed(change, 3);
  return plural(Math.round(Math.abs(change) * allOf(examples) * 2) / 2, "rank");
}

/** Say a change in words: of ranks, whether the answer moved towards gold's or away from it. */
export function changeWords(change: number, examples: TaskExamples): string {
  const size = changeSize(change, examples);
  return examples.gold_ranks.length ? `${size} ${change > 0 ? "nearer" : "farther"}` : size;
}

function kept(change: number | null | undefined, show: Show): boolean {
  if (show === "all") return true;
  if (!change) return false;
  return show === "changed" || (show === "gained" ? change > 0 : change < 0);
}

export function counts({ changes }: Pair): Record<Show, number> {
  const number = (show: Show) => changes.filter((each) => kept(each, show)).length;
  return { changed: number("changed"), gained: number("gained"), lost: number("lost"), all: changes.length };
}

const THIRDS: readonly string[] = ["short", "medium", "long"];

/** Ends of the thirds of the lengths: `[short below, long from]`. */
export function thirds(lengths: readonly number[]): [number, number] | null {
  if (lengths.length < 3) return null;
  const sorted = [...lengths].sort((a, b) => a - b);
  const low = sorted[Math.floor(sorted.length / 3)] ?? 0;
  const high = sorted[Math.floor((2 * sorted.length) / 3)] ?? 0;
  return low < high ? [low, high] : null;
}

function inThird(
  length: number | undefined,
  ends: [number, number] | null,
  which: string | undefined,
): boolean {
  if (!ends || length === undefined || !which || !THIRDS.includes(which)) return true;
  const found = length < ends[0] ? "short" : length < ends[1] ? "medium" : "long";
  return found === which;
}

/** All texts by which an example is searched. */
function haystack(examples: TaskExamples, at: number): string {
  const columns = Object.values(examples.texts).map((each) => each[at] ?? "");
  return [examples.ids[at], examples.clusters[at], ...columns].join("\n").toLowerCase();
}

/** Return the indices of the examples that the filters leave, those that changed most first. */
export function shown({ examples, changes }: Pair, show: Show, params: Params): number[] {
  // A link may name what is not there: that filters nothing.
  const cluster = examples.clusters.find((each) => each === params.cluster);
  const gold = params.gold && examples.gold.some((each) => String(each) === params.gold) ? params.gold : "";
  const ends = thirds(examples.lengths);
  const words = (params.q ?? "").toLowerCase().trim();
  const found = examples.ids
    .map((_, at) => at)
    .filter((at) => kept(changes[at], show))
    .filter((at) => cluster === undefined || examples.clusters[at] === cluster)
    .filter((at) => !gold || String(examples.gold[at]) === gold)
    .filter((at) => inThird(examples.lengths[at], ends, params.length))
    .filter((at) => !words || haystack(examples, at).includes(words));
  const size = (at: number) => Math.abs(changes[at] ?? 0);
  return found.sort((left, right) => size(right) - size(left) || left - right);
}

/** Return the distinct values of a column with how often each is there, the most frequent first. */
export function valueCounts(values: readonly (string | number | null)[]): [string, number][] {
  const found = new Map<string, number>();
  for (const each of values) found.set(String(each), (found.get(String(each)) ?? 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0], "en", { numeric: true }));
}
