/** What the page holds as data, and where views go. */
import type { ReportBoard, ReportContent, ReportModel, TaskExamples } from "./content";

/** The content without its examples, which are decoded when they are looked at. */
export type PageContent = Omit<ReportContent, "examples">;

/** A compiled Vega specification; its data set `rows` is empty. */
export type Spec = Record<string, unknown>;

function json<T>(id: string): T {
  return JSON.parse(document.getElementById(id)?.textContent ?? "{}") as T;
}

let kept: { content: PageContent; figures: Record<string, Spec> } | undefined;

function data(): NonNullable<typeof kept> {
  kept ??= { content: json<PageContent>("content"), figures: json<Record<string, Spec>>("figures") };
  return kept;
}

export function content(): PageContent {
  return data().content;
}

export function figure(name: string): Spec | undefined {
  const { figures } = data();
  return Object.hasOwn(figures, name) ? figures[name] : undefined;
}

export function board(id: string | undefined): ReportBoard | undefined {
  return content().boards.find((each) => each.id === id);
}

export function model(name: string): ReportModel | undefined {
  return content().models.find((each) => each.name === name);
}

/** Boards whose examples are in the page, in the order of the boards. */
export function boardsWithExamples(): ReportBoard[] {
  return content().boards.filter((each) => document.getElementById(`examples-${each.id}`));
}

const decoded = new Map<string, Promise<TaskExamples>>();

/** Return the examples of a board: gzip in base64, decoded once. */
export function examplesOf(id: string): Promise<TaskExamples> {
  let promise = decoded.get(id);
  if (!promise) {
    promise = decode(document.getElementById(`examples-${id}`)?.textContent ?? "");
    decoded.set(id, promise);
  }
  return promise;
}

async function decode(base64: string): Promise<TaskExamples> {
  const bytes = Uint8Array.from(atob(base64.trim()), (each) => each.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return (await new Response(stream).json()) as TaskExamples;
}
