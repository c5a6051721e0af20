/** Labelled controls of the views. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { whileTyping } from "./state";

let controls = 0;

/** An id that is unique in the page: Preact's own is unique in a view. */
export function useOwnId(): string {
  const [id] = useState(() => `control-${++controls}`);
  return id;
}

export interface Option {
  value: string;
  label: string;
}

interface SelectProps {
  label: string;
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
}

/** A value that is none of the options, such as one that a link names, is no choice: nothing is chosen. */
export function Select({ label, value, options, onChange }: SelectProps) {
  const id = useOwnId();
  const known = options.some((each) => each.value === value);
  return (
    <div class="control">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {!known && (
          <option key="none" value={value} disabled selected>
            choose…
          </option>
        )}
        {options.map((each) => (
          <option key={each.value} value={each.value} selected={each.value === value}>
            {each.label}
          </option>
        ))}
      </select>
    </div>
  );
}

interface SearchProps {
  label: string;
  value: string;
  placeholder?: string;
  onChange: (value: string) => void;
}

export function Search({ label, value, placeholder, onChange }: SearchProps) {
  const id = useOwnId();
  return (
    <div class="control">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="search"
        value={value}
        autocomplete="off"
        spellcheck={false}
        placeholder={placeholder}
        onInput={(event) => whileTyping(() => onChange(event.currentTarget.value))}
      />
    </div>
  );
}

interface ChoiceProps extends SelectProps {
  name: string;
}

/** Radio buttons that look like a row of buttons. */
export function Choice({ label, name, value, options, onChange }: ChoiceProps) {
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {options.map((each) => (
        <label key={each.value}>
          <input
            type="radio"
            name={name}
            value={each.value}
            checked={each.value === value}
            onChange={() => onChange(each.value)}
          />
          <span>{each.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function Toolbar({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <fieldset class="toolbar" aria-label={label}>
      {children}
    </fieldset>
  );
}

export const named = (values: readonly string[]): Option[] =>
  values.map((each) => ({ value: each, label: each }));

/** Return the first of the wanted values that is one of those there, or the first of these. */
export function oneOf(values: readonly string[], ...wanted: (string | undefined)[]): string {
  for (const each of wanted) if (each !== undefined && values.includes(each)) return each;
  return values[0] ?? "";
}

/** What was asked for and is not there. */
export function Absent({ fault }: { fault: string }) {
  return (
    <p role="status" class="absent">
      {fault}
    </p>
  );
}
