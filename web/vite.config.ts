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
  plugins: [react({ compiler: true }), tailwindcss(), preloadFont()],
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
          groups: [
            // zod and its configuration are one chunk, so that the configuration is read before any schema is made: a
            // schema made earlier asks whether it may compile code, and the content security policy reports it.
            {
              name: 'zod',
              test: /[\\/]node_modules[\\/](?:\.pnpm[\\/])?zod|[\\/]lib[\\/]zod-without-eval\.ts$/,
              priority: 2,
            },
            // What every page needs, and what seldom changes: one request instead of eight.
            {
              name: 'vendor',
              test: /[\\/]node_modules[\\/](?:\.pnpm[\\/])?(?:react|react-dom|scheduler|@tanstack|use-sync-external-store|class-variance-authority|clsx)[@+\\/]/,
              priority: 1,
            },
            // The program and its first pages are one chunk too, not thirty: each request costs a slow machine more than
            // what is in it.
            { name: firstChunk, debugName: 'first' },
          ],
        },
      },
    },
  },
})

/** The font of the first text is asked for with index.html, not when the style sheet was read. */
function preloadFont(): Plugin {
  return {
    name: 'malleus:preload-font',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle = {} }) {
        const font = Object.keys(bundle).find((file) => /inter-latin-wght-normal.*\.woff2$/.test(file))
        if (font === undefined) throw new Error('Inter latin subset is missing from the build')
        // Inter's latin subset draws the first text; the other subsets come when a character needs them.
        const fontLink = { rel: 'preload', as: 'font', type: 'font/woff2', href: `/${font}`, crossorigin: '' }
        return [{ tag: 'link', attrs: fontLink, injectTo: 'head' as const }]
      },
    },
  }
}

interface Modules {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null
}

const entry = fileURLToPath(new URL('src/main.tsx', import.meta.url))
let first: ReadonlySet<string> | undefined

/** What is imported from the start on, and nothing that is imported on demand. */
function firstChunk(id: string, modules: Modules): string | null {
  first ??= firstModules(modules)
  return first.has(id) ? 'first' : null
}

/** Without the entry itself, which stays a chunk of its own: the manifest begins there. */
function firstModules(modules: Modules): ReadonlySet<string> {
  const found = new Set([entry])
  for (const id of found) for (const imported of modules.getModuleInfo(id)?.importedIds ?? []) found.add(imported)
  // What is measured as the way to the list of servers has to have that list in it (tools/first-load.mjs).
  if (![...found].some((id) => id.endsWith('/MembersPage.tsx')))
    throw new Error('the first chunk has no list of servers')
  found.delete(entry)
  return found
}
