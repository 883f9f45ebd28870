import { fileURLToPath } from 'node:url'

import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, type IndexHtmlTransformContext, type Plugin } from 'vite'

type Bundle = NonNullable<IndexHtmlTransformContext['bundle']>

/** The server puts a fresh nonce in place of these words in every response (and refuses to serve a page without them). */
const nonce = '__CSP_NONCE__'

const api = process.env['MALLEUS_API'] ?? 'http://127.0.0.1:8480'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // The React Compiler as a native transform. Experimental upstream: to go back to Babel, take `reactCompilerPreset()` with @rolldown/plugin-babel.
  plugins: [react({ compiler: true }), tailwindcss(), preloadFirstPages()],
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
          ],
        },
      },
    },
  },
})

/** What the first page needs is asked for with index.html, not when the code that needs it runs. */
function preloadFirstPages(): Plugin {
  return {
    name: 'malleus:preload-first-pages',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle = {} }) {
        const font = Object.keys(bundle).find((file) => /inter-latin-wght-normal.*\.woff2$/.test(file))
        if (font === undefined) throw new Error('Inter latin subset is missing from the build')
        // Inter's latin subset draws the first text; the other subsets come when a character needs them.
        const fontLink = { rel: 'preload', as: 'font', type: 'font/woff2', href: `/${font}`, crossorigin: '' }
        const chunks = new Set(['OverviewPage', 'MembersPage'].flatMap((page) => withImports(bundle, page)))
        const links = [...chunks]
          .filter((file) => !html.includes(file))
          .map((file) => ({ rel: 'modulepreload', href: `/${file}`, crossorigin: '', nonce }))
        return [fontLink, ...links].map((attrs) => ({ tag: 'link', attrs, injectTo: 'head' as const }))
      },
    },
  }
}

function withImports(bundle: Bundle, name: string): string[] {
  const files = new Set<string>()
  const visit = (file: string) => {
    const chunk = bundle[file]
    if (chunk?.type !== 'chunk' || files.has(file)) return
    files.add(file)
    chunk.imports.forEach(visit)
  }
  const page = Object.values(bundle).find((chunk) => chunk.type === 'chunk' && chunk.name === name)
  if (page === undefined) throw new Error(`the build has no chunk called ${name}`)
  visit(page.fileName)
  return [...files]
}
