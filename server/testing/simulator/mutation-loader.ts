import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Mutant } from './mutants.ts'

const server = new URL('../../', import.meta.url).href

/** A module of the server as it is with mutant number so and so: the same file under an address of its own. */
export function mutatedUrl(file: string, number: number): string {
  return `${new URL(file, server).href}?mutant=${number}`
}

/**
 * From now on, whatever is imported from a mutated address is mutated as well: a module graph for each mutant, in one
 * process, with nothing written to disk. The mutated file differs in one place, the others are the same source again.
 *
 * Throws when the text to be replaced is not there exactly once, so that no mutant is one that changes nothing.
 */
export function loadMutants(mutants: readonly Mutant[]): void {
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const number = numberOf(context.parentURL)
      const isOurs = resolved.url.startsWith(server) && !resolved.url.includes('/node_modules/')
      return number === null || !isOurs ? resolved : { ...resolved, url: `${resolved.url}?mutant=${number}` }
    },
    load(url, context, next) {
      const number = numberOf(url)
      const mutant = number === null ? undefined : mutants[number]
      const [plain = url] = url.split('?')
      if (mutant === undefined || plain !== pathToFileURL(pathOf(mutant)).href) return next(url, context)
      return { format: 'module-typescript', source: mutated(mutant), shortCircuit: true }
    },
  })
}

function numberOf(url: string | undefined): number | null {
  const found = /\?mutant=(\d+)$/.exec(url ?? '')?.[1]
  return found === undefined ? null : Number(found)
}

function pathOf({ file }: Mutant): string {
  return fileURLToPath(new URL(`src/${file}`, server))
}

/** The source of a file with the mutation in it. */
export function mutated(mutant: Mutant): string {
  const source = readFileSync(pathOf(mutant), 'utf8')
  const [before, after, ...more] = source.split(mutant.find)
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${mutant.file}: "${mutant.find}" is there ${source.split(mutant.find).length - 1} times, not once`)
  }
  return before + mutant.put + after
}
