/** The switch between light, dark, and what the system says. */
import { Choice } from "./controls";
import { chooseTheme, type Theme, useTheme } from "./state";

export function ThemeSwitch() {
  const theme = useTheme();
  return (
    <Choice
      label="Theme"
      name="theme"
      value={theme}
      options={[
        { value: "auto", label: "auto" },
        { value: "light", label: "light" },
        { value: "dark", label: "dark" },
      ]}
      onChange={(value) => chooseTheme(value as Theme)}
    />
  );
}
