/** Rows of the leaderboard, of what its filters leave. */
import type { ReportBoard, ReportMean, ReportRanked, ReportRanking, ReportRow, ReportScore } from "./content";
import type { PageContent } from "./page";
import type { Params } from "./state";

/** A score of a model on a board. */
export interface ScoreRow {
  board: ReportBoard;
  row: ReportRow;
  score: ReportScore | null;
}

/** A model over the boards that are shown. */
export interface ModelRow {
  model: string;
  ranked: ReportRanked | undefined;
  /** Of the tag that is filtered by, or of all tasks. */
  mean: ReportMean | undefined;
  cells: Map<string, ReportRow>;
}

export const HEADLINE = "headline";

export const isSample = (board: ReportBoard): boolean => board.data === "sample";

/** Whether a ranking is over this board. */
export function inRanking(ranking: ReportRanking, board: ReportBoard): boolean {
  return (
    ranking.tasks.includes(board.task) && ranking.sample === isSample(board) && ranking.limit === board.limit
  );
}

const named = (board: ReportBoard, task: string): boolean => board.id === task || board.task === task;

/** Return parameters of which each names something that is there, and a sentence for each that does not. */
export function knownParams(content: PageContent, params: Params): { known: Params; unknown: string[] } {
  const { task = "", tag = "" } = params;
  const taskKnown = !task || content.boards.some((each) => named(each, task));
  const tagKnown = !tag || content.boards.some((each) => each.tags.includes(tag));
  return {
    known: { ...params, task: taskKnown ? task : "", tag: tagKnown ? tag : "" },
    unknown: [
      taskKnown ? "" : `There is no task “${task}” in this page: all tasks are shown.`,
      tagKnown ? "" : `There is no tag “${tag}” in this page: all tasks are shown.`,
    ].filter(Boolean),
  };
}

/** Return the boards of the task, or of the board, and of the tag that are asked for. */
export function shownBoards(content: PageContent, { task, tag }: Params): ReportBoard[] {
  const exact = content.boards.some((each) => each.id === task);
  const asked = (each: ReportBoard) => !task || (exact ? each.id === task : each.task === task);
  return content.boards.filter((each) => asked(each) && (!tag || each.tags.includes(tag)));
}

/** Return the best headline score of a board, of all its models. */
export function bestScore(board: ReportBoard): number | null {
  const scores = board.rows.map((each) => headline(each)?.score).filter((each) => typeof each === "number");
  return scores.length ? Math.max(...scores) : null;
}

/** Return why a model has no row on a board. */
export function whyMissing(content: PageContent, board: ReportBoard, model: string): string {
  const elsewhere = content.boards.some(
    (each) => each.task === board.task && each.rows.some((row) => row.model === model),
  );
  return elsewhere || board.apart.some((each) => each.model === model) ? "not comparable" : "not run";
}

/** Return whether a model's name has one of the words, which commas separate. */
export function wanted(model: string, filter: string | undefined): boolean {
  const parts = (filter ?? "").split(",").map((each) => each.trim().toLowerCase());
  const words = parts.filter(Boolean);
  return !words.length || words.some((each) => model.toLowerCase().includes(each));
}

export function scoreRows(boards: readonly ReportBoard[], params: Params): ScoreRow[] {
  const metric = params.metric || HEADLINE;
  return boards.flatMap((board) =>
    board.rows
      .filter((row) => wanted(row.model, params.model))
      .flatMap((row) => {
        const name = metric === HEADLINE ? board.metrics[0] : metric;
        if (name === undefined || !board.metrics.includes(name)) return [];
        return [{ board, row, score: row.scores.find((each) => each.metric === name) ?? null }];
      }),
  );
}

export function modelRows(
  content: PageContent,
  boards: readonly ReportBoard[],
  ranking: ReportRanking | undefined,
  params: Params,
): ModelRow[] {
  const order = [
    ...(ranking?.models.map((each) => each.model) ?? []),
    ...content.models.map((each) => each.name),
  ];
  return [...new Set(order)]
    .filter((model) => wanted(model, params.model))
    .map((model) => {
      const ranked = ranking?.models.find((each) => each.model === model);
      const mean = params.tag ? ranked?.tags[params.tag] : (ranked?.mean ?? undefined);
      const cells = new Map<string, ReportRow>();
      for (const board of boards) {
        const row = board.rows.find((each) => each.model === model);
        if (row) cells.set(board.id, row);
      }
      return { model, ranked, mean, cells };
    })
    .filter((each) => each.cells.size);
}

/** Return boards of a ranking first. */
export function rankedFirst(
  boards: readonly ReportBoard[],
  ranking: ReportRanking | undefined,
): ReportBoard[] {
  if (!ranking) return [...boards];
  const counted = (each: ReportBoard) => inRanking(ranking, each);
  return [...boards.filter(counted), ...boards.filter((each) => !counted(each))];
}

export function headline(row: ReportRow | undefined): ReportScore | null {
  return row?.status === "ok" ? (row.scores[0] ?? null) : null;
}

/** Names of boards: the task, and what tells it from another board of the same task. */
export function boardName(content: PageContent, board: ReportBoard): string {
  const same = content.boards.filter((each) => each.task === board.task);
  if (same.length === 1) return board.task;
  const alike = same.filter((each) => each.origin === board.origin);
  return `${board.task} (${board.origin}${alike.length > 1 ? `, ${board.digest.slice(0, 8)}` : ""})`;
}
