/** The state of the views, in the fragment of the page's address: `#examples?task=stsb&id=17`. */
import { useEffect, useState } from "preact/hooks";

export type Params = Readonly<Record<string, string>>;
export type Theme = "auto" | "light" | "dark";

interface Fragment {
  section: string;
  params: Params;
}

const THEME = "theme";
const views = new Map<string, Params>();
/** One object, so that a view without parameters is not drawn again when others change. */
const NONE: Params = {};
const listeners = new Set<() => void>();
let theme: Theme = "auto";

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

/** Take the state from the address; scroll to its section where a link named one. */
export function readAddress(): void {
  const { section, params } = parseFragment(location.hash);
  const { [THEME]: asked, ...own } = params;
  setTheme(asked === "light" || asked === "dark" ? asked : theme);
  // A link within the page says nothing of the theme.
  if (theme !== "auto" && asked !== theme) replaceAddress(fragment(section, own));
  if (!section) return;
  if (Object.keys(own).length) views.set(section, own);
  tell();
  if (!document.getElementById(location.hash.slice(1))) document.getElementById(section)?.scrollIntoView();
}

export function setParams(section: string, change: Params): void {
  const params = { ...views.get(section), ...change };
  views.set(section, params);
  replaceAddress(fragment(section, params));
  tell();
}

export function getTheme(): Theme {
  return theme;
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
  replaceAddress(fragment(section, own));
  tell();
}

function replaceAddress(text: string): void {
  try {
    history.replaceState(null, "", text === "#" ? location.pathname + location.search : text);
  } catch {
    // Some browsers refuse it for a file that was opened from an attachment. The page works, without a link.
  }
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** Return the parameters of a section and a function that changes some of them. */
export function useParams(section: string): [Params, (change: Params) => void] {
  const [params, setOwn] = useState<Params>(views.get(section) ?? NONE);
  useEffect(() => {
    const listener = () => setOwn(views.get(section) ?? NONE);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [section]);
  return [params, (change) => setParams(section, change)];
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
