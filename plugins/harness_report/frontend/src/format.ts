/** Numbers and names as text, as the command line writes them. */

export const MISSING = "–";

export function number(value: number | null | undefined, digits = 4): string {
  return value === null || value === undefined ? MISSING : value.toFixed(digits).replace("-", "−");
}

/** Return a number with its sign: `+0.0123`, `−0.0123` with the typographic minus. */
export function signed(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return MISSING;
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) ? "−" : "+") + text;
}

export function interval(low: number | null, high: number | null, form = number): string {
  return low === null || high === null ? "" : `[${form(low, 3)}, ${form(high, 3)}]`;
}

export function percent(share: number | null | undefined, digits = 0): string {
  return share === null || share === undefined ? MISSING : `${(100 * share).toFixed(digits)} %`;
}

/** Return a p-value: `0.0123`, `< 0.0001`. */
export function pValue(p: number | null): string {
  return p === null ? MISSING : p < 0.0001 ? "< 0.0001" : p.toFixed(4);
}

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? MISSING : value.toLocaleString("en");
}

export function plural(value: number, noun: string, many = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : many}`;
}

/** Return a rank interval: `1`, `1–3`. */
export function ranks(rank: readonly number[] | null): string {
  if (!rank) return MISSING;
  return rank[0] === rank[1] ? `${rank[0]}` : `${rank[0]}–${rank[1]}`;
}

/** Return a size by powers of a thousand: `22.7 M`. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return MISSING;
  return value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });
}
