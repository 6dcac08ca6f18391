import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page of `rung export --format html`: one script and one style sheet, which Python puts into one file.
export default defineConfig({
  plugins: [react()],
  publicDir: false,
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    outDir: "../src/rung/server/static/report",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    modulePreload: false,
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      input: "src/report/report.tsx",
      output: {
        format: "es",
        codeSplitting: false,
        entryFileNames: "report.js",
        assetFileNames: "report[extname]",
      },
    },
  },
});
