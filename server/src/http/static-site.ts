import { createHash } from 'node:crypto'
import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import path from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Random } from '../lib/random.ts'
import { reportingEndpoints, shellPolicy } from './security-headers.ts'

/** The page and what belongs to it, kept in memory. */
export interface StaticSite {
  /** Answers a GET or HEAD for anything that is not the API: a file, or the page, whose links lead anywhere. */
  serve(response: ServerResponse, request: SiteRequest): void
}

export interface SiteRequest {
  readonly path: string
  readonly acceptEncoding: string
  /** Whether it is a person opening an address, and not a page asking for a file. */
  readonly wantsPage: boolean
  /** With which the page is sent. Default 200. */
  readonly status?: number
}

/** Stands in the built page wherever a nonce belongs; each response gets its own. */
const noncePlace = '__CSP_NONCE__'

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}
const compressible = new Set(['.css', '.html', '.js', '.json', '.svg', '.txt', '.webmanifest'])

interface StoredFile {
  readonly type: string
  readonly etag: string
  /** Its name holds a hash of what is in it, so it never changes. */
  readonly hashed: boolean
  readonly plain: Buffer
  readonly br: Buffer | undefined
  readonly gzip: Buffer | undefined
}

/**
 * Reads the built site and compresses it once. Without one (in development, where another server has it) every
 * address says so.
 *
 * @throws when there is a page without places for a nonce: it would not run under its own policy.
 */
export async function loadStaticSite(folder: string, random: Random): Promise<StaticSite> {
  const names = listFiles(folder)
  if (!names.includes('index.html')) return missingSite(folder)
  const shell = readFileSync(path.join(folder, 'index.html'), 'utf8').split(noncePlace)
  if (shell.length === 1) throw new Error(`${folder}/index.html has no ${noncePlace}: build it with vite.config.ts`)
  const files = new Map<string, StoredFile>()
  await Promise.all(
    names
      .filter((name) => name !== 'index.html' && !name.startsWith('.'))
      .map(async (name) => files.set(`/${name}`, await storeFile(path.join(folder, name), name))),
  )
  return {
    serve(response, request) {
      const file = files.get(request.path)
      if (file !== undefined) sendFile(response, file, request.acceptEncoding)
      else if (request.wantsPage && !isFilePath(request.path)) sendShell(response, shell, random, request.status ?? 200)
      else sendNothing(response)
    },
  }
}

function sendShell(response: ServerResponse, shell: readonly string[], random: Random, status: number): void {
  const nonce = random.bytes(16).toString('base64')
  const body = shell.join(nonce)
  response.setHeader('content-security-policy', shellPolicy(nonce))
  response.setHeader('reporting-endpoints', reportingEndpoints)
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.setHeader('content-length', Buffer.byteLength(body))
  response.writeHead(status)
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

function sendFile(response: ServerResponse, file: StoredFile, acceptEncoding: string): void {
  // A sandbox would take its origin from a script that is run as a worker.
  response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  response.setHeader('cache-control', file.hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
  response.setHeader('etag', file.etag)
  response.setHeader('vary', 'accept-encoding')
  if (response.req.headers['if-none-match'] === file.etag) {
    response.writeHead(304)
    response.end()
    return
  }
  const encoding = chooseEncoding(file, acceptEncoding)
  const body = (encoding === 'identity' ? undefined : file[encoding]) ?? file.plain
  if (encoding !== 'identity') response.setHeader('content-encoding', encoding)
  response.setHeader('content-type', file.type)
  response.setHeader('content-length', body.length)
  response.writeHead(200)
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

function sendNothing(response: ServerResponse): void {
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.writeHead(404)
  response.end('There is nothing at this address.\n')
}

function chooseEncoding(file: StoredFile, accepted: string): 'br' | 'gzip' | 'identity' {
  const offered = new Set(
    accepted
      .toLowerCase()
      .split(',')
      .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
      .map((part) => part.split(';', 1)[0]?.trim()),
  )
  if (file.br !== undefined && offered.has('br')) return 'br'
  if (file.gzip !== undefined && offered.has('gzip')) return 'gzip'
  return 'identity'
}

async function storeFile(file: string, name: string): Promise<StoredFile> {
  const plain = readFileSync(file)
  const extension = path.extname(name)
  const squeeze = compressible.has(extension) && plain.length > 512
  const [br, zipped] = squeeze ? await Promise.all([toBrotli(plain), toGzip(plain, { level: 9 })]) : []
  return {
    type: types[extension] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
    hashed: /^assets\/.+-[\w-]{8,}\.\w+$/.test(name),
    plain,
    br: smaller(br, plain),
    gzip: smaller(zipped, plain),
  }
}

function smaller(packed: Buffer | undefined, plain: Buffer): Buffer | undefined {
  return packed !== undefined && packed.length < plain.length ? packed : undefined
}

const toGzip = promisify(gzip)

function toBrotli(plain: Buffer): Promise<Buffer> {
  // 9 of 11: a sixth of the time for two percent of the size, and every start pays it.
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length }
  return promisify<Buffer, object, Buffer>(brotliCompress)(plain, { params })
}

/** Addresses that name a file are never answered with the page: a script that is missing would be parsed as one. */
function isFilePath(address: string): boolean {
  return address.startsWith('/assets/')
}

function listFiles(folder: string): string[] {
  let entries: Dirent[]
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
}

function missingSite(folder: string): StaticSite {
  return {
    serve(response) {
      response.setHeader('content-type', 'text/plain; charset=utf-8')
      response.writeHead(503)
      response.end(
        `The pages have not been built: ${path.basename(path.dirname(folder))}/dist is missing. Run npm run build, or use npm run dev.\n`,
      )
    },
  }
}
