import { createHmac, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { link, open, readFile, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { FolderUnusable, makeFolder } from './make-folder.ts'
import type { Random } from './random.ts'

/** The console's own secrets: whoever has them and the database still cannot open a session without its cookie. */
export interface Keys {
  /** 32 bytes mixed into what seals sessions and what is kept sealed in the database. */
  readonly server: Buffer
  /** 32 bytes for tags that can be compared and not read. */
  readonly hmac: Buffer
  /** Ed25519; signs what leaves the console as evidence. */
  readonly signing: KeyObject
}

/** The message is a sentence for the person who starts the console. */
export class KeysUnusable extends Error {
  override readonly name = 'KeysUnusable'
}

/**
 * Reads the key file, or makes it with mode 0600 when it is missing and `create` allows it: with several replicas all
 * of them need the same file, so there it has to be given.
 *
 * @throws KeysUnusable when it is missing and may not be made, is readable by others, or is not a key file; FolderUnusable.
 */
export async function loadKeys(file: string, { create, random }: { create: boolean; random: Random }): Promise<Keys> {
  try {
    const found = await readKeys(file)
    if (found !== undefined) return found
    if (!create) throw new KeysUnusable(`The key file ${file} does not exist. All replicas need the same one.`)
    await writeNewKeys(file, random)
    const made = await readKeys(file)
    if (made === undefined) throw new KeysUnusable(`The key file ${file} was removed while it was being made.`)
    return made
  } catch (error) {
    if (error instanceof KeysUnusable || error instanceof FolderUnusable) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new KeysUnusable(`The key file ${file} cannot be used: ${reason}`, { cause: error })
  }
}

/** A tag of the parts that only this console can make: equal parts give equal tags, and a tag does not tell its parts. */
export function tagOf(key: Buffer, purpose: string, ...parts: readonly string[]): Buffer {
  // JSON keeps ["a", "bc"] and ["ab", "c"] apart.
  return createHmac('sha256', key)
    .update(JSON.stringify([purpose, ...parts]))
    .digest()
}

const KeyFile = z.strictObject({
  v: z.literal(1),
  server: z.base64url().transform(bytes32),
  hmac: z.base64url().transform(bytes32),
  signing: z.string().transform((pem) => createPrivateKey(pem)),
})

async function readKeys(file: string): Promise<Keys | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const { mode } = await stat(file)
  if ((mode & 0o077) !== 0) {
    throw new KeysUnusable(`The key file ${file} can be read by others. Make it private: chmod 600 ${file}`)
  }
  const { server, hmac, signing } = KeyFile.parse(parseJson(file, text))
  if (signing.asymmetricKeyType !== 'ed25519')
    throw new KeysUnusable(`The signing key in ${file} is not an Ed25519 key.`)
  return { server, hmac, signing }
}

/** Written whole under another name and then linked, so that nobody reads half of it and the first of two starts wins. */
async function writeNewKeys(file: string, random: Random): Promise<void> {
  await makeFolder(path.dirname(file))
  const draft = `${file}.${random.uuid()}`
  const signing = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  const handle = await open(draft, 'wx', 0o600)
  try {
    const keys = { server: random.bytes(32).toString('base64url'), hmac: random.bytes(32).toString('base64url') }
    await handle.writeFile(`${JSON.stringify({ v: 1, ...keys, signing }, null, 2)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    await link(draft, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await unlink(draft)
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // The parser's own message quotes the text it could not read.
    throw new KeysUnusable(`The key file ${file} is not JSON.`, { cause: error instanceof Error ? error.name : error })
  }
}

function bytes32(text: string, context: z.RefinementCtx): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== 32) context.addIssue({ code: 'custom', message: 'has to be 32 bytes' })
  return bytes
}
