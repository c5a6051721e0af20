/** Sentences of the command line as a page sets them: a minus for a hyphen, options on one line. */
import { minus } from "./format";

/** An option of a command, such as `--margin`: hyphens are where browsers break lines. */
const OPTION = /(?<![^\s(`'"“])(--?[A-Za-z][\w-]*)/;

function unbroken(text: string) {
  return text.split(OPTION).map((part, at) =>
    at % 2 ? (
      <span key={at} class="nowrap">
        {part}
      </span>
    ) : (
      part
    ),
  );
}

export function Said({ text }: { text: string }) {
  return <>{unbroken(minus(text))}</>;
}

export function Command({ line }: { line: string }) {
  return <code>{unbroken(line)}</code>;
}
