// What a browser fetches before the list of servers can be used, read from Vite's manifest.

import { readFileSync } from 'node:fs'
import path from 'node:path'

const entry = 'index.html'
const page = /^src\/features\/members\/MembersPage\.tsx$/

/**
 * The files a browser loads from opening the application to the members list.
 *
 * @param {string} dist Vite's output, built with `manifest: true`
 * @returns {{ scripts: string[], styles: string[] }} paths in `dist`
 */
export function firstLoad(dist) {
  return filesOf(JSON.parse(readFileSync(path.join(dist, '.vite/manifest.json'), 'utf8')))
}

/**
 * The same from a manifest. The page is a chunk of its own, or in the one called `first`, which the build sees to
 * (web/vite.config.ts). Anywhere else it has been merged somewhere: then all there is counts.
 */
export function filesOf(manifest) {
  if (!manifest[entry]) throw new Error(`the manifest has no ${entry}`)
  const pages = Object.keys(manifest).filter((key) => page.test(key))
  const inFirst = manifest[entry].imports?.some((key) => manifest[key].name === 'first') ?? false
  const chunks = new Set()
  const visit = (key, lazy) => {
    if (chunks.has(key)) return
    chunks.add(key)
    const { imports = [], dynamicImports = [] } = manifest[key]
    for (const next of lazy ? [...imports, ...dynamicImports] : imports) visit(next, lazy)
  }
  for (const key of [entry, ...pages]) visit(key, pages.length === 0 && !inFirst)
  const scripts = new Set()
  const styles = new Set()
  for (const key of chunks) {
    const { file, css = [] } = manifest[key]
    ;(file.endsWith('.css') ? styles : scripts).add(file)
    for (const style of css) styles.add(style)
  }
  return { scripts: [...scripts], styles: [...styles] }
}
