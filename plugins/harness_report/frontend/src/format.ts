/** Numbers and names as text, as the command line writes them. */

export const MISSING = "–";
const RARE = 0.01;

export function number(value: number | null | undefined, digits = 4): string {
  return value === null || value === undefined ? MISSING : value.toFixed(digits).replace("-", "−");
}

/** Return a number with its sign: `+0.0123`, `−0.0123` with the typographic minus. */
export function signed(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return MISSING;
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) ? "−" : "+") + text;
}

/** Return a sentence with the typographic minus before its negative numbers. */
export function minus(sentence: string): string {
  return sentence.replace(/(?<![^\s([,:;=])-(?=\.?\d)/g, "−");
}

/** Return the interval of a score, `[0.123, 0.456]`, or that of a gain, as exact as a gain. */
export function interval(low: number | null, high: number | null, form = number): string {
  const digits = form === signed ? 4 : 3;
  return low === null || high === null ? "" : `[${form(low, digits)}, ${form(high, digits)}]`;
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

/** Return a rank interval with the chance to lead, which is not rounded to 0 or 100 %: `1–4 (49 %)`. */
export function ranksAndChance(rank: readonly number[] | null | undefined, best: number | null | undefined) {
  if (!rank) return MISSING;
  return best === null || best === undefined ? ranks(rank) : `${ranks(rank)} (${chance(best)})`;
}

function chance(best: number): string {
  if (best > 0 && best < RARE) return `< ${percent(RARE)}`;
  if (best < 1 && best > 1 - RARE) return `> ${percent(1 - RARE)}`;
  return percent(best);
}

/** Return a size in MB or kB, of a thousand each. */
export function size(bytes: number | null | undefined): string {
  if (!bytes) return bytes === 0 ? "0" : MISSING;
  const mega = bytes >= 1e6;
  const digits = mega ? 0 : 1;
  const shown = (bytes / (mega ? 1e6 : 1e3)).toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${shown} ${mega ? "MB" : "kB"}`;
}
