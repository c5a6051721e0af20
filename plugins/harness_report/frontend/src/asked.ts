/** What an address asks for, held against what the page has: anything unknown is said, nothing else is shown. */
import type { ReportBoard, TaskExamples } from "./content";
import { oneOf } from "./controls";
import { plural } from "./format";
import { boardName } from "./leaderboard-rows";
import { content } from "./page";

export interface Asked<T> {
  found: T | undefined;
  /** Why nothing is found, as a sentence; empty where something is. */
  fault: string;
}

/** Return the board of an id, or of a task that one board alone has; the first where none is asked for. */
export function askedBoard(
  boards: readonly ReportBoard[],
  asked: string | undefined,
  what: string,
): Asked<ReportBoard> {
  const found = asked ? boards.find((each) => each.id === asked) : boards[0];
  if (found || !asked) return { found, fault: "" };
  const named = boards.filter((each) => each.task === asked);
  if (named.length === 1) return { found: named[0], fault: "" };
  const data = content();
  if (named.length > 1) {
    const names = named.map((each) => boardName(data, each)).join(", ");
    return {
      found: undefined,
      fault: `${asked} is in this page ${plural(named.length, "time")}: choose of ${names}.`,
    };
  }
  const elsewhere = data.boards.find((each) => each.id === asked || each.task === asked);
  const fault = elsewhere
    ? `${boardName(data, elsewhere)} has no ${what} in this page.`
    : `Task ${asked} is not in this page.`;
  return { found: undefined, fault };
}

/** Say why a model has no answers on a task; empty where it has. */
export function modelFault(model: string | undefined, examples: TaskExamples, task: string): string {
  if (!model || examples.models.some((each) => each.model === model)) return "";
  if (!content().models.some((each) => each.name === model)) return `Model ${model} is not in this page.`;
  const reason = examples.absent[model];
  return `${model} has no answers on ${task} in this page${reason ? `: ${reason}` : ""}.`;
}

/** Return the pair that is asked for, or in its place the first baseline, the winner and the first candidate. */
export function askedPair(names: readonly string[], baseline?: string, candidate?: string): [string, string] {
  const { compared, answer } = content();
  const first =
    baseline || oneOf(names, compared[0]?.baseline === candidate ? undefined : compared[0]?.baseline);
  const others = names.filter((each) => each !== first);
  const usual = compared[0]?.comparisons[0]?.candidate.name;
  return [first, candidate || oneOf(others, answer.selection?.winner, usual)];
}
