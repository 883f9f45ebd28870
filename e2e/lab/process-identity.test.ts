import { spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { end, identify, parseStat, signal, stateOf } from './process-identity.ts'

describe('/proc/PID/stat', () => {
  test('is read past a program name with spaces and parentheses', () => {
    const text = '4711 (a) b (c) T 1 4711 4711 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 7 0 98765 2 3'
    expect(parseStat(text)).toEqual({ state: 'T', threads: 7, startedAt: 98765 })
  })
})

describe.runIf(process.platform === 'linux')('a process', () => {
  test('with the right pid and another start time is not touched', () => {
    const self = identify(process.pid)
    if (self === undefined) throw new Error('this process has no identity')
    const stranger = { ...self, startedAt: self.startedAt - 1 }
    expect(stateOf(self)).toBe('running')
    expect(stateOf(stranger)).toBe('gone')
    expect(signal(stranger, 'SIGKILL')).toBe(false)
  })

  test('is gone after it was ended', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' })
    const sleeper = child.pid === undefined ? undefined : identify(child.pid)
    if (sleeper === undefined) throw new Error('sleep did not start')
    await end(sleeper)
    expect(stateOf(sleeper)).toBe('gone')
    expect(signal(sleeper, 'SIGTERM')).toBe(false)
  })
})
