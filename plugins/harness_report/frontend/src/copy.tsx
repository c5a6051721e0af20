/** A table as CSV, Markdown or LaTeX: to the clipboard, or into a selected text area where there is none. */
import { useEffect, useRef, useState } from "preact/hooks";
import { plural } from "./format";

export interface CopiedColumn<Row> {
  name: string;
  value: (row: Row) => string | number | null;
  /** In words, for Markdown and LaTeX; `value` if not given. */
  text?: (row: Row) => string;
  /** Whether the cell is bold in Markdown and LaTeX. */
  strong?: (row: Row) => boolean;
  /** Only in CSV, such as the ends of an interval, which the words have. */
  csv?: boolean;
}

export type Format = "CSV" | "Markdown" | "LaTeX";

const FORMATS: readonly Format[] = ["CSV", "Markdown", "LaTeX"];
const LATEX: Record<string, string> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "–": "--",
  "−": "$-$",
};
/** As `harness.render` has it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: spreadsheets skip them before a formula
const FORMULA = /^'*([\s\x00-\x20\ufeff]*[=+\-@＝＋－＠]|[\t\r\n])/;

/** A text that a spreadsheet would take for a formula begins with an apostrophe; numbers are left alone. */
function csvCell(value: string | number | null): string {
  if (typeof value === "number") return String(value);
  const text = value ?? "";
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function markdownCell(text: string): string {
  return text.replace(/[\\|`*_[\]<>]/g, "\\$&").replace(/\s+/g, " ");
}

function latexCell(text: string): string {
  return text.replace(/[\\~^–−&%$#_{}]/g, (each) => LATEX[each] ?? `\\${each}`).replace(/\s+/g, " ");
}

function words<Row>(column: CopiedColumn<Row>, row: Row): string {
  return column.text?.(row) ?? String(column.value(row) ?? "–");
}

const STRONG = {
  Markdown: (cell: string) => `**${cell}**`,
  LaTeX: (cell: string) => `\\textbf{${cell}}`,
};

/** Return rows as text. note: what bold and letters mean, below the table. */
export function formatted<Row>(
  rows: readonly Row[],
  columns: readonly CopiedColumn<Row>[],
  format: Format,
  note = "",
) {
  if (format === "CSV") {
    const body = rows.map((row) => columns.map((each) => csvCell(each.value(row))).join(","));
    return `${[columns.map((each) => csvCell(each.name)).join(","), ...body].join("\n")}\n`;
  }
  const shown = columns.filter((each) => !each.csv);
  const right = shown.map((each) => rows.some((row) => typeof each.value(row) === "number"));
  const cell = format === "Markdown" ? markdownCell : latexCell;
  const names = shown.map((each) => cell(each.name));
  const written = (each: CopiedColumn<Row>, row: Row) => {
    const text = cell(words(each, row));
    return each.strong?.(row) ? STRONG[format](text) : text;
  };
  const body = rows.map((row) => shown.map((each) => written(each, row)));
  if (format === "Markdown") {
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
    const rule = `|${right.map((each) => (each ? "---:" : "---")).join("|")}|`;
    return `${[line(names), rule, ...body.map(line)].join("\n")}\n${note && `\n${markdownCell(note)}\n`}`;
  }
  const line = (cells: readonly string[]) => `  ${cells.join(" & ")} \\\\`;
  const align = right.map((each) => (each ? "r" : "l")).join("");
  return `${[
    `\\begin{tabular}{${align}}`,
    "  \\toprule",
    line(names),
    "  \\midrule",
    ...body.map(line),
    "  \\bottomrule",
    "\\end{tabular}",
    ...(note ? [`% ${note}`] : []),
  ].join("\n")}\n`;
}

async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not offered, or refused: pages from a disk differ by browser.
    return false;
  }
}

interface Props<Row> {
  rows: readonly Row[];
  columns: readonly CopiedColumn<Row>[];
  note?: string;
}

export function CopyButtons<Row>({ rows, columns, note }: Props<Row>) {
  const [said, setSaid] = useState("");
  const [shown, setShown] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    area.current?.focus();
    area.current?.select();
  }, [shown]);
  const copy = async (format: Format) => {
    const text = formatted(rows, columns, format, note);
    const done = await toClipboard(text);
    setShown(done ? "" : text);
    setSaid(
      done
        ? `Copied ${plural(rows.length, "row")} as ${format}.`
        : `${format} is selected below: copy it with Ctrl+C or ⌘C.`,
    );
  };
  return (
    <div class="copy">
      <fieldset class="buttons">
        <legend>Copy as</legend>
        {FORMATS.map((each) => (
          <button key={each} type="button" onClick={() => void copy(each)}>
            {each}
          </button>
        ))}
      </fieldset>
      <p role="status" class="said">
        {said}
      </p>
      {shown && <textarea ref={area} readOnly rows={8} aria-label="The table as text" value={shown} />}
    </div>
  );
}
