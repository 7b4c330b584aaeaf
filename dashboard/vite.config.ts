import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The desk serves the bundle under `default-src 'self'`: nothing inline, nothing from elsewhere, no data: fonts.
export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
  },
  server: {
    proxy: {
      "/api": {
        target: "http://127.0.0.1:8787",
        changeOrigin: true,
        // The desk takes its own pages alone; in development the page is another server's.
        configure: proxy => {
          proxy.on("proxyReq", request => request.removeHeader("origin"));
        },
      },
    },
  },
});
