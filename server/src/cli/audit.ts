import { createReadStream, existsSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { SqliteAttestationStore } from '../audit/attestation-store.sqlite.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import { openAuditLog } from '../audit/audit-log.ts'
import { SqliteAuditStore } from '../audit/audit-store.sqlite.ts'
import type { StoredLine } from '../audit/audit-store.ts'
import { Checkpoints } from '../audit/checkpoints.ts'
import { CopiesBroken, readCopies } from '../audit/copies.ts'
import type { ExportFormat } from '../audit/export-writer.ts'
import { ExportWriter } from '../audit/export-writer.ts'
import { pruneHistory, WillNotPrune } from '../audit/prune.ts'
import { auditEntry } from '../audit/record.ts'
import { verifyExport } from '../audit/verify-export.ts'
import { verifyHistory } from '../audit/verify-history.ts'
import type { Copies } from '../audit/verify-history.ts'
import type { Config } from '../config.ts'
import { openDatabase } from '../database/database.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Keys } from '../lib/keys.ts'
import { loadKeys } from '../lib/keys.ts'
import { silentLogger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { CliError, exitCodes } from './cli-error.ts'

export interface AuditWorld {
  readonly clock: Clock
  readonly random: Random
  /** Says what is going on. */
  readonly tell: (sentence: string) => void
}

const PAGE = 5000

/** The manifest of an export stands beside it. */
const manifestOf = (file: string) => `${file}.manifest.json`

/**
 * Checks the whole history, and with `against` holds it against a file that left the console: the copies of a sink, or an
 * export with its manifest.
 *
 * @returns what to print when it is what was written.
 * @throws CliError with a sentence that names the first bad record.
 */
export async function verifyAudit(config: Config, against: string | undefined, world: AuditWorld): Promise<string> {
  const { database, keys, records, attestations } = await openHistory(config, world)
  try {
    const copies = against === undefined ? undefined : await readAgainst(against, records, keys)
    let told = 0
    const { breach, ...checked } = await verifyHistory({
      records,
      attestations,
      key: keys.signing,
      page: PAGE,
      ...(copies !== undefined && { copies }),
      between: (done) => {
        if (done - told >= 1_000_000) {
          told = done
          world.tell(`${done} records hold so far`)
        }
        return false
      },
    })
    if (breach !== null) throw new CliError(exitCodes.tampered, `${breach.message}.`)
    const held = against === undefined ? '' : `, and ${against} agrees with it`
    return `The access history is what was written: ${checked.records} records, ${checked.attestations} signed statements${held}.\n`
  } finally {
    await database.close()
  }
}

export interface AuditExport {
  readonly format: ExportFormat
  readonly out: string
  readonly cluster: string | undefined
  /** Milliseconds since 1970; records from this moment on, and before that one. */
  readonly since: number | undefined
  readonly before: number | undefined
}

/** Writes records to a file, and what was written, signed, beside it. It is recorded before the first of them is read. */
export async function exportAudit(config: Config, wanted: AuditExport, world: AuditWorld): Promise<string> {
  const history = await openHistory(config, world)
  try {
    return await recorded(history, 'audit.export', wanted.out, world, async () => {
      const { format, out } = wanted
      const writer = new ExportWriter({ format, by: 'command line', filter: filterOf(wanted) })
      const file = await create(out)
      try {
        await file.write(writer.begin())
        for await (const lines of pages(history.records)) {
          const chosen = lines.filter((line) => isWanted(line, wanted))
          if (chosen.length > 0) await file.write(writer.chunk(chosen))
        }
        await file.sync()
      } finally {
        await file.close()
      }
      const manifest = await create(manifestOf(out))
      await manifest.writeFile(writer.manifest(instant(world.clock.now()), history.keys.signing))
      await manifest.close()
      return `${writer.records} records are in ${out}, and what was written is signed in ${manifestOf(out)}.\n`
    })
  } finally {
    await history.database.close()
  }
}

/** Removes what is older than a moment, under signed tombstones. */
export async function pruneAudit(
  config: Config,
  { before, source }: { readonly before: number; readonly source: 'console' | 'incus' | null },
  world: AuditWorld,
): Promise<string> {
  const history = await openHistory(config, world)
  try {
    return await recorded(history, 'audit.prune', instant(before), world, async () => {
      const { records, attestations, keys } = history
      const options = { records, attestations, signing: keys.signing, clock: world.clock, before, source }
      const { count } = await pruneHistory(options)
      return `${count} records from before ${instant(before)} were removed; signed tombstones say which.\n`
    })
  } catch (error) {
    if (error instanceof WillNotPrune) throw new CliError(exitCodes.tampered, error.message, error)
    throw error
  } finally {
    await history.database.close()
  }
}

interface OpenHistory {
  readonly database: { close(): Promise<void> }
  readonly keys: Keys
  readonly records: SqliteAuditStore
  readonly attestations: SqliteAttestationStore
}

async function openHistory(config: Config, { clock, random }: AuditWorld): Promise<OpenHistory> {
  const { folder } = config.storage
  if (!existsSync(path.join(folder, 'audit.db'))) {
    throw new CliError(exitCodes.failed, `There is no access history in ${folder}.`)
  }
  const keys = await loadKeys(config.keysFile, { create: false, random })
  const database = await openDatabase(folder, 'audit', { clock, deadlineMs: 60_000 })
  return {
    database,
    keys,
    records: new SqliteAuditStore(database),
    attestations: new SqliteAttestationStore(database),
  }
}

/** A command is in the history too, in a chain of its own: announced, done, and how it ended. */
async function recorded(
  { records, attestations, keys }: OpenHistory,
  action: string,
  object: string,
  { clock, random }: AuditWorld,
  work: () => Promise<string>,
): Promise<string> {
  const logger = silentLogger
  const log: AuditLog = await openAuditLog({ store: records, clock, random, logger })
  const checkpoints = new Checkpoints({ store: attestations, signing: keys.signing, history: log, clock, logger })
  const entry = auditEntry({ action, object, decision: { allow: true, rule: 'command line' } })
  const end = (code: string | null) =>
    log.outcome({ ...entry, out: { status: null, op: null, opStatus: null, bytes: null, ms: null, code } })
  try {
    await log.intent(entry)
    const said = await work()
    end(null)
    return said
  } catch (error) {
    end('failed')
    throw error
  } finally {
    await log.close()
    await checkpoints.stop()
  }
}

async function readAgainst(file: string, records: SqliteAuditStore, { signing }: Keys): Promise<Copies> {
  if (!existsSync(file)) throw new CliError(exitCodes.usage, `${file} does not exist.`)
  try {
    if (!existsSync(manifestOf(file))) return await readCopies(linesOf(file), signing)
    const manifest = await readFile(manifestOf(file), 'utf8')
    const breach = await verifyExport({ manifest, lines: () => linesWithEnds(file) }, records, signing)
    if (breach !== null) throw new CliError(exitCodes.tampered, `${file}: ${breach.message}.`)
    return file.endsWith('.csv') ? nothing : await readCopies(linesOf(file), signing)
  } catch (error) {
    if (error instanceof CopiesBroken) throw new CliError(exitCodes.tampered, `${file}: ${error.message}`, error)
    throw error
  }
}

const nothing: Copies = { attestations: new Map(), records: [] }

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
}

/** As they are, to the byte. */
async function* linesWithEnds(file: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of createReadStream(file, 'latin1')) {
    const lines = `${rest}${String(chunk)}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield Buffer.from(`${line}\n`, 'latin1').toString()
  }
  if (rest !== '') yield Buffer.from(rest, 'latin1').toString()
}

/** All records, in the order of writing; the next are read while these are worked on. */
async function* pages(records: SqliteAuditStore): AsyncGenerator<readonly StoredLine[]> {
  let next = records.after(0, PAGE)
  for (;;) {
    const lines = await next
    const last = lines.at(-1)
    if (last === undefined) return
    next = records.after(last.position, PAGE)
    yield lines
  }
}

function isWanted({ cluster, at }: StoredLine, wanted: AuditExport): boolean {
  return (
    (wanted.cluster === undefined || cluster === wanted.cluster) &&
    (wanted.since === undefined || at >= wanted.since) &&
    (wanted.before === undefined || at < wanted.before)
  )
}

function filterOf({ cluster, since, before }: AuditExport): string {
  return [
    ...(cluster === undefined ? [] : [`cluster:${cluster}`]),
    ...(since === undefined ? [] : [`after:${instant(since)}`]),
    ...(before === undefined ? [] : [`before:${instant(before)}`]),
  ].join(' ')
}

async function create(file: string) {
  try {
    return await open(file, 'wx', 0o600)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new CliError(exitCodes.cannotWrite, `${file} cannot be made (${reason}); nothing is written over.`, error)
  }
}
