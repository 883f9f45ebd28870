import type { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { withoutSecrets } from '../lib/redact.ts'
import { shortened } from '../lib/shortened.ts'

/** What Incus said of an operation, in its own form, with everything left out that may hold a secret. */
export type ToldOperation = Readonly<Record<string, unknown>>

const mostCharacters = 512
/** Outputs of programs that Incus ran can be long, and their end is what counts. */
const mostRead = 64 * 1024
const mostEntries = 100
const mostDepth = 6
const mostBytes = 32 * 1024

/**
 * The record for people. Those of terminals hold the secrets of their connections, tokens hold their secret, and what is
 * run in an instance may have one in its arguments or its environment (incus `cmd/incusd/instance_exec.go`); none of it
 * is kept or leaves the console, whoever asks.
 */
export function toldOperation(operation: IncusOperation): ToldOperation {
  const told = clean(operation, 0)
  if (typeof told !== 'object' || told === null) return {}
  const record = { ...told }
  return JSON.stringify(record).length <= mostBytes ? record : { ...record, metadata: 'too long to be kept' }
}

const leftOut = '[left out]'
const secretKey = /pass|secret|token|private|credential|api[-_.]?key|_key$|^fds$|^environment$/i

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return words(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= mostDepth) return leftOut
  if (Array.isArray(value)) return value.slice(0, mostEntries).map((each) => clean(each, depth + 1))
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, mostEntries)
      .map(([key, each]) => [words(key), secretKey.test(key) ? leftOut : cleanField(key, each, depth)]),
  )
}

function cleanField(key: string, value: unknown, depth: number): unknown {
  if (key !== 'command' || !Array.isArray(value) || value.length < 2) return clean(value, depth + 1)
  return [clean(value[0], depth + 1), leftOut]
}

/** Incus's own words, in which there may be the address of an image with who may have it. */
export function words(text: string): string {
  return shortened(withoutSecrets(text.slice(0, mostRead)), mostCharacters)
}
