/** Vega without `eval`: its expressions are interpreted, and only the transforms that our figures use are here. */
import { transforms } from "vega-dataflow";
import * as encode from "vega-encode";
import { expressionInterpreter } from "vega-interpreter";
import { parse } from "vega-parser";
import { View } from "vega-view";
import * as viewTransforms from "vega-view-transforms";
import type { Domains, Spec } from "./page";
import * as dataTransforms from "./vega-transforms";

Object.assign(transforms, dataTransforms, encode, viewTransforms);

export interface Drawn {
  resize(width: number): void;
  remove(): void;
}

/** Draw a specification into an element that says in words what it shows, as wide as `width`. */
export async function draw(
  place: HTMLElement,
  spec: Spec,
  rows: readonly object[],
  words: Readonly<Record<string, string>>,
  width: number,
  domains: Domains = {},
): Promise<Drawn> {
  const container = place.appendChild(document.createElement("div"));
  container.setAttribute("aria-hidden", "true");
  const scales = spec.scales?.map((each) => {
    const domain = domains[each.name];
    return domain ? { ...each, domain: [...domain] } : each;
  });
  const runtime = parse({ ...spec, ...(scales && { scales }) }, {}, { ast: true });
  const view = new View(runtime, { renderer: "svg", container, hover: false, expr: expressionInterpreter });
  const known = new Set(spec.signals?.map((each) => each.name));
  for (const [name, text] of Object.entries(words)) if (known.has(name)) view.signal(name, text);
  await view.data("rows", rows).width(width).runAsync();
  // For controls that a specification may bind; ours has none.
  container.querySelector("form")?.remove();
  return {
    resize: (wide) => void view.width(wide).runAsync(),
    remove: () => {
      view.finalize();
      container.remove();
    },
  };
}
