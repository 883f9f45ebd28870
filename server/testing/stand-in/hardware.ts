import type { Member } from './member.ts'

const GIB = 1024 ** 3

/** Threads of a member's processor; the same for the same name. */
export function threadsOf(member: Member): number {
  return [8, 16, 16, 32][seedOf(member) % 4] ?? 8
}

/** Load averages over 1, 5 and 15 minutes that move a little, and stay within what the processor has. */
export function loadOf(member: Member): [number, number, number] {
  const base = (threadsOf(member) * (20 + (seedOf(member) % 50))) / 100
  const wave = (periodMs: number): number =>
    round(base * (1 + 0.25 * Math.sin(((member.now() + seedOf(member) * 1000) / periodMs) * 2 * Math.PI)))
  return [wave(60_000), wave(300_000), wave(900_000)]
}

export function memoryOf(member: Member): { total: number; used: number; free: number } {
  const total = threadsOf(member) * 4 * GIB
  const used = Math.round(total * ((35 + (seedOf(member) % 40)) / 100))
  return { total, used, free: Math.round((total - used) / 3) }
}

export function uptimeOf(member: Member): number {
  return Math.floor((member.now() - member.startedAt) / 1000) + (seedOf(member) % 30) * 86_400
}

function seedOf(member: Member): number {
  return Array.from(member.name).reduce((sum, character, index) => sum + character.charCodeAt(0) * (index + 7), 0)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
