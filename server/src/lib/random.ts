import { randomBytes, randomUUID } from 'node:crypto'

/** Chance as a dependency. `bytes` and `uuid` are for secrets and ids; `fraction` only for jitter. */
export interface Random {
  bytes(length: number): Buffer
  uuid(): string
  /** From 0 up to, not including, 1. */
  fraction(): number
}

export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
  uuid: () => randomUUID(),
  fraction: () => Math.random(),
}

/** The value, more or less by at most the given share: `jittered(100, 0.1, random)` is between 90 and 110. */
export function jittered(value: number, share: number, random: Random): number {
  return value * (1 + share * (2 * random.fraction() - 1))
}
