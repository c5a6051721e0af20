/** What the page holds as data, and where views go. */
import type { ReportBoard, ReportContent, ReportModel, TaskExamples } from "./content";

/** The content without its examples, which are decoded when they are looked at. */
export type PageContent = Omit<ReportContent, "examples">;

/** Ends of scales, by name. */
export type Domains = Readonly<Record<string, readonly [number, number]>>;

/** A compiled Vega specification; its data set `rows` is empty. */
export interface Spec {
  scales?: { name: string }[];
  signals?: { name: string }[];
  /** Scale → fields of a row that it spans, for figures that are shown beside each other. */
  usermeta?: { spans: Record<string, string[]> };
}

/** Return the scales of a figure that is drawn several times, such that the figures can be compared by eye. */
export function domainsOf(name: string, drawn: readonly (readonly object[])[]): Domains {
  const spans = figure(name)?.usermeta?.spans ?? {};
  const found: Record<string, [number, number]> = {};
  for (const [scale, fields] of Object.entries(spans)) {
    const values = drawn
      .flat()
      .flatMap((row) => fields.map((each) => (each === "0" ? 0 : Reflect.get(row, each))));
    const numbers = values.filter((each): each is number => typeof each === "number");
    const ends: [number, number] = [Math.min(...numbers), Math.max(...numbers)];
    if (ends[1] > ends[0]) found[scale] = ends;
  }
  return found;
}

/** Number of the color and shape of a model, the same in all figures. */
export function seriesOf(model: string): number {
  return (
    Math.max(
      0,
      content().models.findIndex((each) => each.name === model),
    ) % 8
  );
}

/** Characters that turn or hide others, as `harness.render` has them; JSON escapes those below a space. */
const CONTROL = /[\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Return what JSON says, its texts without characters that turn or hide others. */
function parse<T>(text: string): T {
  return JSON.parse(text.replace(CONTROL, " ")) as T;
}

function json<T>(id: string): T {
  return parse<T>(document.getElementById(id)?.textContent ?? "{}");
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

/** The element with the examples of a board: a heading may have the same id. */
function packed(id: string): Element | null {
  return document.querySelector(`script#${CSS.escape(`examples-${id}`)}`);
}

/** Boards whose examples are in the page, in the order of the boards. */
export function boardsWithExamples(): ReportBoard[] {
  return content().boards.filter((each) => packed(each.id));
}

const decoded = new Map<string, Promise<TaskExamples>>();

/** Return the examples of a board: gzip in base64, decoded once. */
export function examplesOf(id: string): Promise<TaskExamples> {
  let promise = decoded.get(id);
  if (!promise) {
    promise = decode(packed(id)?.textContent ?? "");
    decoded.set(id, promise);
  }
  return promise;
}

async function decode(base64: string): Promise<TaskExamples> {
  const bytes = Uint8Array.from(atob(base64.trim()), (each) => each.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return parse<TaskExamples>(await new Response(stream).text());
}
