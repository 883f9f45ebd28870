import { describe, expect, test } from 'vitest'
import { parseCpuSeconds } from './process-cpu.ts'

describe('the processor time of a process', () => {
  test('is what it used itself and in the kernel', () => {
    const stat = '42 (node) S 1 42 42 0 -1 4194560 900 0 0 0 1250 50 7 8 20 0 11 0 100 1000 200'
    expect(parseCpuSeconds(stat)).toBe(13)
  })

  test('is found whatever the process is called', () => {
    const stat = '42 (a) b (c) S 1 42 42 0 -1 4194560 900 0 0 0 100 0 7 8 20 0 11 0 100 1000 200'
    expect(parseCpuSeconds(stat)).toBe(1)
  })
})
