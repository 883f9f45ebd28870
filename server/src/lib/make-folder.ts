import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

/** A folder that the configuration names cannot be one. The message is a sentence for who starts the console. */
export class FolderUnusable extends Error {
  override readonly name = 'FolderUnusable'
  /** Of the system, such as `EACCES`. */
  readonly code: string

  constructor(folder: string, cause: unknown) {
    const code = codeOf(cause)
    super(`The folder ${folder} cannot be made (${code}). Name another one in the configuration, or make it.`, {
      cause,
    })
    this.code = code
  }
}

/**
 * Makes a folder, and those above it that are missing, for this user only; one that is there is left as it is. Node's own
 * `recursive` goes round for ever where the folder above is there and the one in it cannot be: in `/proc`.
 *
 * @throws FolderUnusable
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeEach(path.resolve(folder))
  } catch (error) {
    throw new FolderUnusable(folder, error)
  }
}

async function makeEach(folder: string): Promise<void> {
  try {
    await makeOne(folder)
  } catch (error) {
    const above = path.dirname(folder)
    if (codeOf(error) !== 'ENOENT' || above === folder) throw error
    await makeEach(above)
    await makeOne(folder)
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    const isThere = codeOf(error) === 'EEXIST' && (await stat(folder)).isDirectory()
    if (!isThere) throw error
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
