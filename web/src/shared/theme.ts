import { createTheme } from "@mantine/core";

/** Colours and measures of the whole page; both colour schemes come of them. */
export const theme = createTheme({
  primaryColor: "cyan",
  primaryShade: { light: 8, dark: 5 },
  defaultRadius: "sm",
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
});
