/** The state of the views, in the fragment of the page's address: `#examples?task=stsb&id=17`. */
import { useEffect, useState } from "preact/hooks";

export type Params = Readonly<Record<string, string>>;
export type Theme = "auto" | "light" | "dark";

interface Fragment {
  section: string;
  params: Params;
}

/** All that is chosen, as the browser's history keeps it beside an address, which names one section's. */
interface Snapshot {
  views: Record<string, Params>;
  pair: Params;
  /** Steps that follow each other, from one example to the next, are one entry of the history. */
  step: boolean;
}

/** How a change is noted: an entry of the history, none (typing), or one for all steps of a walk. */
export type Noted = "entry" | "none" | "step";

const THEME = "theme";
/** Sections whose baseline and candidate are the page's: a pair that is chosen in one is that of all. */
const PAIRED: readonly string[] = ["comparison", "examples"];
const PAIR: readonly string[] = ["baseline", "candidate"];
let views = new Map<string, Params>();
let pair: Params = {};
const listeners = new Set<() => void>();
let theme: Theme = "auto";
let typing = false;

export function parseFragment(text: string): Fragment {
  const [section = "", query = ""] = text.replace(/^#/, "").split(/\?(.*)/s);
  return { section, params: Object.fromEntries(new URLSearchParams(query)) };
}

/** Return a fragment; parameters that are empty are left out. */
export function fragment(section: string, params: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value) query.set(name, value);
  if (theme !== "auto") query.set(THEME, theme);
  const text = query.toString();
  return `#${section}${text ? `?${text}` : ""}`;
}

/** Split parameters into those of a pair and the rest. */
function split(params: Params): [Params, Params] {
  const entries = Object.entries(params);
  const of = (inPair: boolean) =>
    Object.fromEntries(entries.filter(([name]) => PAIR.includes(name) === inPair));
  return [of(true), of(false)];
}

function paramsOf(section: string): Params {
  const own = views.get(section) ?? {};
  if (!PAIRED.includes(section)) return own;
  // In the order in which links name them: task, pair, the rest.
  return { ...(own.task !== undefined && { task: own.task }), ...pair, ...own };
}

/** Set the parameters of a section; a pair that they name is the page's. */
function put(section: string, params: Params): void {
  const [chosen, own] = PAIRED.includes(section) ? split(params) : [{}, params];
  views.set(section, own);
  pair = { ...pair, ...chosen };
}

/** Take the state from the address; scroll to its section where a link named one. */
export function readAddress(): void {
  const { section, params } = parseFragment(location.hash);
  const { [THEME]: asked, ...own } = params;
  readTheme();
  if (Object.keys(own).length) put(section, own);
  // A link within the page says nothing of the theme.
  note(theme !== "auto" && asked !== theme ? fragment(section, own) : location.hash, "none");
  if (!section) return;
  tell();
  if (!document.getElementById(location.hash.slice(1))) document.getElementById(section)?.scrollIntoView();
}

/** Restore what the browser's history keeps, where it does: what Back, Forward and a reload lead to. */
export function restore(): boolean {
  const kept = history.state as Snapshot | null;
  if (!kept?.views) return false;
  views = new Map(Object.entries(kept.views));
  pair = kept.pair;
  const { section, params } = parseFragment(location.hash);
  const { [THEME]: asked, ...own } = params;
  // The theme is not a choice that Back takes away.
  if ((asked ?? "auto") !== theme) note(fragment(section, own), "none", kept.step);
  tell();
  return true;
}

export function setParams(section: string, change: Params, noted: Noted = typing ? "none" : "entry"): void {
  put(section, { ...paramsOf(section), ...change });
  note(fragment(section, paramsOf(section)), noted);
  tell();
}

/** Run what follows from typing: that adds nothing to the history. */
export function whileTyping(run: () => void): void {
  typing = true;
  try {
    run();
  } finally {
    typing = false;
  }
}

/** Take the theme that the address names. */
export function readTheme(): void {
  const asked = parseFragment(location.hash).params[THEME];
  if (asked === "light" || asked === "dark") setTheme(asked);
}

/** Set the theme of the page, without noting it in the address. */
function setTheme(chosen: Theme): void {
  theme = chosen;
  document.documentElement.dataset.theme = chosen;
}

export function chooseTheme(chosen: Theme): void {
  setTheme(chosen);
  const { section, params } = parseFragment(location.hash);
  const { [THEME]: _, ...own } = params;
  note(fragment(section, own), "none");
  tell();
}

/** Note the state in the browser's history, with an address that says a part of it. */
function note(text: string, noted: Noted, step = false): void {
  const kept = history.state as Snapshot | null;
  const address = text === "#" || !text ? location.pathname + location.search : text;
  const onTop = noted === "none" || (noted === "step" && kept?.step) || address === location.hash;
  const snapshot: Snapshot = { views: Object.fromEntries(views), pair, step: step || noted === "step" };
  try {
    if (onTop) history.replaceState(snapshot, "", address);
    else history.pushState(snapshot, "", address);
  } catch {
    // Some browsers refuse it for a file that was opened from an attachment. The page works, without a link.
  }
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** Whether two views of the state are alike: a view is not drawn again when others change. */
function alike(one: Params, other: Params): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

export type Change = (change: Params, noted?: Noted) => void;

/** Return the parameters of a section and a function that changes some of them. */
export function useParams(section: string): [Params, Change] {
  const [params, setOwn] = useState<Params>(() => paramsOf(section));
  useEffect(() => {
    const listener = () => {
      const now = paramsOf(section);
      setOwn((before) => (alike(before, now) ? before : now));
    };
    listeners.add(listener);
    listener();
    return () => void listeners.delete(listener);
  }, [section]);
  return [params, (change, noted) => setParams(section, change, noted)];
}

/** Return the pair that was chosen, in whichever section; empty where none was. */
export function usePair(): Params {
  const [own, setOwn] = useState(pair);
  useEffect(() => {
    const listener = () => setOwn((before) => (alike(before, pair) ? before : pair));
    listeners.add(listener);
    listener();
    return () => void listeners.delete(listener);
  }, []);
  return own;
}

export function useTheme(): Theme {
  const [own, setOwn] = useState(theme);
  useEffect(() => {
    const listener = () => setOwn(theme);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return own;
}
