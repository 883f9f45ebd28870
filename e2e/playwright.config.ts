import { defineConfig, devices } from '@playwright/test'

const ci = process.env['CI'] === 'true'

export default defineConfig({
  testDir: 'stories',
  testMatch: '**/*.story.ts',
  outputDir: 'test-results',
  // The stories of a worker share one real cluster, and break it: one at a time. Two clusters at once, since most of a
  // story is waiting for Incus to notice what was done to it.
  workers: 2,
  fullyParallel: false,
  // Stories hold the console to two seconds, with three servers, a browser and the console on a machine of two cores
  // that others may use too. In CI a second try tells a busy machine from a broken promise, and is reported.
  retries: ci ? 1 : 0,
  forbidOnly: ci,
  timeout: 60_000,
  globalTimeout: (process.env['MALLEUS_LONG'] === '1' ? 180 : 15) * 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['../tools/playwright-reporter.mjs']],
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1440, height: 900 },
    // The lab's authority is known to the lab alone; what the console itself verifies is not the browser's business.
    ignoreHTTPSErrors: true,
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env['MALLEUS_CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--disable-quic'],
    },
  },
})
