import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const backend = process.env.KURIR_URL ?? 'http://127.0.0.1:4000';

export default defineConfig({
  plugins: [svelte()],
  build: {
    // The polyfill would be an inline script in some setups, which the Content-Security-Policy refuses.
    modulePreload: { polyfill: false },
    // One file per asset keeps the long-term cache honest and the CSS free of data URLs.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: Object.fromEntries(
      ['/api', '/health', '/sandbox', '/uploads'].map((path) => [path, { target: backend }]),
    ),
  },
});
