import { fileURLToPath } from 'node:url'

import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** The server puts a fresh nonce in place of these words in every response (and refuses to serve a page without them). */
const nonce = '__CSP_NONCE__'

const api = process.env['MALLEUS_API'] ?? 'http://127.0.0.1:8480'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // The React Compiler as a native transform. Experimental upstream: to go back to Babel, take `reactCompilerPreset()` with @rolldown/plugin-babel.
  plugins: [react({ compiler: true }), tailwindcss(), preloadLatinFont()],
  html: { cspNonce: nonce },
  server: {
    port: 5173,
    strictPort: true,
    proxy: {
      // The page's own origin is kept, so that the console's cross-site check sees what it sees in production.
      '/api': { target: api, xfwd: true },
      '/auth': { target: api, xfwd: true },
    },
  },
  build: {
    manifest: true,
    target: 'es2023',
    // font-src is 'self' alone: nothing may become a data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          // zod and its configuration are one chunk, so that the configuration is read before any schema is made: a schema
          // made earlier asks whether it may compile code, and the content security policy reports it.
          groups: [
            { name: 'zod', test: /[\\/]node_modules[\\/](?:\.pnpm[\\/])?zod|[\\/]lib[\\/]zod-without-eval\.ts$/ },
          ],
        },
      },
    },
  },
})

/** The first text is drawn in Inter's latin subset: asked for with the page, the other subsets when a character needs them. */
function preloadLatinFont(): Plugin {
  return {
    name: 'malleus:preload-latin-font',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, context) {
        const font = Object.keys(context.bundle ?? {}).find((file) => /inter-latin-wght-normal.*\.woff2$/.test(file))
        if (font === undefined) throw new Error('Inter latin subset is missing from the build')
        return [
          {
            tag: 'link',
            attrs: { rel: 'preload', as: 'font', type: 'font/woff2', href: `/${font}`, crossorigin: '' },
            injectTo: 'head',
          },
        ]
      },
    },
  }
}
