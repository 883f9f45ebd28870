import type { Random } from './random.ts'
import { jittered } from './random.ts'

/** How long to wait before try number `failures` + 1: doubles from `firstMs` up to `mostMs`, more or less by a fifth. */
export function backoffMs(failures: number, firstMs: number, mostMs: number, random: Random): number {
  const exact = Math.min(mostMs, firstMs * 2 ** Math.max(0, failures - 1))
  return jittered(exact, 0.2, random)
}
