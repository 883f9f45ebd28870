// What a lab remembers between two commands. One folder, and a file for each thing that is written by itself, so that
// breaking two members at once loses nothing. The folder's own `lab.json` says whose it is: nothing is deleted without it.

import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { NamespaceRoom } from './namespace.ts'
import { ProcessIdentity } from './process-identity.ts'
import { ProviderFacts } from './provider-facts.ts'

export const faultNames = ['stuck', 'killed', 'cut-off', 'black-hole', 'slow', 'starting', 'wrong-certificate'] as const
export type Fault = (typeof faultNames)[number]

const LabRecord = z.object({
  name: z.string(),
  slot: z.number().int(),
  members: z.number().int(),
  /** `forming` until the cluster is whole. What is found forming and has no builder was interrupted. */
  phase: z.enum(['forming', 'up']),
  builder: ProcessIdentity,
  /** The identity provider the members believe. */
  provider: ProviderFacts.optional(),
  /** Did the lab start that provider itself? */
  ownProvider: z.boolean(),
})
export type LabRecord = z.infer<typeof LabRecord>

const FaultRecord = z.object({
  fault: z.enum(faultNames),
  brokenAt: z.string(),
})
export type FaultRecord = z.infer<typeof FaultRecord>

/** Longer, and a member's socket would not fit into the 107 characters of a Unix socket's address. */
const longestPath = 80

export class StateDirectory {
  readonly path: string

  constructor(path: string) {
    if (!path.startsWith('/')) throw new Error(`the state directory ${path} is not an absolute path`)
    if (path.length > longestPath)
      throw new Error(`the state directory ${path} is longer than ${longestPath} characters`)
    if (/[\s:]/.test(path)) throw new Error(`the state directory ${path} has a space or a colon in its name`)
    this.path = path
  }

  /** Makes the folder and takes it for a new lab. Throws when somebody was quicker. */
  take(record: LabRecord): void {
    mkdirSync(this.path, { recursive: true, mode: 0o711 })
    writeFileSync(join(this.path, 'lab.json'), JSON.stringify(record), { flag: 'wx', mode: 0o600 })
    for (const folder of ['processes', 'faults', 'logs', 'client', 'image']) mkdirSync(join(this.path, folder))
  }

  /** Undefined when there is no lab here. */
  readLab(): LabRecord | undefined {
    return this.#read('lab.json', LabRecord)
  }

  writeLab(record: LabRecord): void {
    this.#write('lab.json', record)
  }

  /** The process that was last started under this name: a member's, or `provider`. */
  readProcess(name: string): ProcessIdentity | undefined {
    return this.#read(`processes/${name}.json`, ProcessIdentity)
  }

  writeProcess(name: string, identity: ProcessIdentity): void {
    this.#write(`processes/${name}.json`, identity)
  }

  readFault(member: string): FaultRecord | undefined {
    return this.#read(`faults/${member}.json`, FaultRecord)
  }

  writeFault(member: string, record: FaultRecord): void {
    this.#write(`faults/${member}.json`, record)
  }

  removeFault(member: string): void {
    rmSync(join(this.path, `faults/${member}.json`), { force: true })
  }

  /** Deletes the folder, and the folder of all labs when it is the last one in it. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
    if (dirname(this.path) !== defaultParent) return
    try {
      rmdirSync(defaultParent)
    } catch {
      // Another lab lives there.
    }
  }

  /** Anything at all in the folder? */
  get exists(): boolean {
    return existsSync(this.path)
  }

  /** `INCUS_DIR` of a member. */
  member(name: string): string {
    return join(this.path, name)
  }

  log(name: string): string {
    return join(this.path, 'logs', `${name}.log`)
  }

  room(slot: number): NamespaceRoom {
    return { namespaces: join(this.path, 'ns'), cgroup: join(this.path, 'cgroup'), branch: branchOf(slot) }
  }

  #read<T>(file: string, schema: z.ZodType<T>): T | undefined {
    let text: string
    try {
      text = readFileSync(join(this.path, file), 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
    return schema.parse(JSON.parse(text))
  }

  #write(file: string, value: object): void {
    const path = join(this.path, file)
    writeFileSync(`${path}.new`, JSON.stringify(value), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
}

const defaultParent = '/run/malleus-lab'

/** Where the lab of this name keeps its state when nobody says otherwise. */
export function defaultStateDirectory(name: string): string {
  return join(defaultParent, name)
}

/** The branch of the cgroup tree that holds every process of the lab in this slot. */
function branchOf(slot: number): string {
  return `malleus-lab-${slot}`
}
