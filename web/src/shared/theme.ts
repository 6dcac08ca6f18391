import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

// The product's colour, from the mark in icon.svg; the eighth stands out from white by 7 : 1.
const PETROL: MantineColorsTuple = [
  "#e8f6f9",
  "#d3ebf0",
  "#a5d6e1",
  "#73c0d2",
  "#4badc5",
  "#2f9cb7",
  "#1d84a0",
  "#166f88",
  "#155e75",
  "#0f4657",
];

// The grounds and greys of the dark scheme are those of the plots (plots/palette.ts).
const DARK: MantineColorsTuple = [
  "#d5d7da",
  "#b5b9bf",
  "#9a9fa6",
  "#7b8189",
  "#4a5057",
  "#3a3f45",
  "#2a2e33",
  "#1c1f23",
  "#16181b",
  "#101214",
];

/** Colours and measures of the whole page; both colour schemes come of them. */
export const theme = createTheme({
  colors: { petrol: PETROL, dark: DARK },
  primaryColor: "petrol",
  primaryShade: { light: 8, dark: 4 },
  autoContrast: true,
  luminanceThreshold: 0.32,
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  headings: {
    fontWeight: "600",
    sizes: { h1: { fontSize: "1.375rem" }, h2: { fontSize: "1.125rem" }, h3: { fontSize: "1rem" } },
  },
  components: {
    Button: { defaultProps: { size: "xs" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    TextInput: { defaultProps: { size: "xs" } },
    NumberInput: { defaultProps: { size: "xs" } },
    Select: { defaultProps: { size: "xs" } },
    MultiSelect: { defaultProps: { size: "xs" } },
    Textarea: { defaultProps: { size: "xs" } },
    Checkbox: { defaultProps: { size: "xs" } },
    Switch: { defaultProps: { size: "xs" } },
    Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: "xs", fz: "sm" } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true, multiline: true, maw: 340 } },
    Modal: { defaultProps: { centered: true, closeButtonProps: { "aria-label": "Close" } } },
    Anchor: { defaultProps: { underline: "hover" } },
  },
});

/** Greys that can be read on both grounds: Mantine's own dimmed text is too pale for that. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#5c636b",
    "--mantine-color-body": "#ffffff",
    "--mantine-color-text": "#23272c",
    "--mantine-color-anchor": "#155e75",
    "--mantine-color-placeholder": "#6b7279",
  },
  dark: {
    "--mantine-primary-color-contrast": "#101214", // Mantine's own is that of the light scheme
    "--mantine-color-dimmed": "#a3a9b1",
    "--mantine-color-text": "#d5d7da",
    "--mantine-color-anchor": "#7cc7d8",
    "--mantine-color-placeholder": "#8f969e",
  },
});
