import { defineConfig } from 'vitest/config'

const long = process.env['MALLEUS_LONG'] === '1'
const ci = process.env['CI'] === 'true'

/** One project per room of the house, so that `--project server` is a thing one can say. */
function project(name: string, include: string[], timeouts = { testTimeout: 15_000, hookTimeout: 30_000 }) {
  const scale = long ? 100 : 1
  return {
    extends: true as const,
    test: {
      name,
      include,
      testTimeout: timeouts.testTimeout * scale,
      hookTimeout: timeouts.hookTimeout,
    },
  }
}

export default defineConfig({
  test: {
    environment: 'node',
    // A process per file: tests open databases, sockets and TLS sessions, and must not inherit each other's.
    pool: 'forks',
    // One more than a small machine has cores: most of the long ones wait for something.
    maxWorkers: 3,
    allowOnly: !ci,
    // Some tests hold real processes and sockets to their times. In CI a second try tells a busy machine from a broken
    // promise, and is reported.
    retry: ci ? 1 : 0,
    reporters: ['default', './tools/vitest-reporter.mjs'],
    projects: [
      project('tools', ['tools/**/*.test.mjs'], { testTimeout: 60_000, hookTimeout: 60_000 }),
      project('shared', ['shared/src/**/*.test.ts']),
      project('server', ['server/**/*.test.ts']),
      project('web', ['web/src/**/*.test.{ts,tsx}']),
      project('e2e', ['e2e/{demo,lab,support,bench}/**/*.test.ts']),
      // Starts a real cluster; `npm test` runs it with the others, where Incus is.
      project('conformance', ['e2e/conformance/**/*.test.ts'], { testTimeout: 120_000, hookTimeout: 180_000 }),
    ],
  },
})
