import { readFileSync } from 'node:fs'

/**
 * The version of this console, from the manifest beside it: in a clone that of the server, two folders up; in what was
 * built, the one next to the only file.
 */
export function version(): string {
  for (const place of ['./package.json', '../../package.json']) {
    const manifest = readManifest(new URL(place, import.meta.url))
    if (manifest !== undefined) return manifest
  }
  return 'unknown'
}

function readManifest(url: URL): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(url, 'utf8'))
    if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return undefined
    return typeof manifest.version === 'string' ? manifest.version : undefined
  } catch {
    return undefined
  }
}
