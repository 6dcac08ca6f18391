import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` shows the page from its source; `rung ui` beside it answers the requests.
export default defineConfig({
  plugins: [react()],
  base: "/",
  build: {
    outDir: "../src/rung/server/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the page's policy allows no data: scripts or styles
    chunkSizeWarningLimit: 1500,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8585" } },
});
