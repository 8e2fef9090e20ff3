import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

const root = import.meta.dirname
const pages = ['index.html', 'ops.html'].map((page) => join(root, page)).filter((page) => existsSync(page))
const api = { target: 'http://127.0.0.1:8080' }

export default defineConfig({
  root,
  plugins: [svelte()],
  // Nothing becomes a data: address, so that the pages run under a strict Content-Security-Policy.
  build: {
    outDir: 'dist',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: pages, checks: { bundlerTimings: false } },
    // The map's library is one lazy chunk of about 1 MB before compression; it is meant to be.
    chunkSizeWarningLimit: 1_200,
  },
  server: {
    proxy: Object.fromEntries(
      ['/api', '/basemap', '/health', '/docs', '/openapi.json'].map((path) => [path, api]),
    ),
  },
})
