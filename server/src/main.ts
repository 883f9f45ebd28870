#!/usr/bin/env node
// Starts the console, and ends it so that nobody notices.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { App } from './app.ts'
import { createApp } from './app.ts'
import { AuditUnavailable } from './audit/audit-error.ts'
import { describeMistakes } from './config/mistake.ts'
import type { Config } from './config.ts'
import { configFile, loadConfig } from './config.ts'
import { version } from './config/version.ts'
import { CannotOpenDatabase } from './database/database-error.ts'
import { CannotListen, listen } from './http/listen.ts'
import { systemClock } from './lib/clock.ts'
import { KeysUnusable } from './lib/keys.ts'
import { FolderUnusable } from './lib/make-folder.ts'
import type { Logger } from './lib/logger.ts'
import { createLogger } from './lib/logger.ts'
import { systemRandom } from './lib/random.ts'

/**
 * Runs the console until it is told to stop by a signal; gives the exit status: 0 after a clean end, 1 when it could not
 * start, 2 when the configuration has mistakes or names a folder that cannot be one.
 */
export async function start(file: string): Promise<number> {
  const loaded = loadConfig({ file })
  if (!loaded.ok) {
    process.stderr.write(describeMistakes(file, loaded.mistakes))
    return 2
  }
  const { config, warnings } = loaded
  const logger = createLogger(config.logLevel)
  for (const warning of warnings) logger.warn({}, warning)
  reportStrayErrors(logger)
  const stopped = stopSignal()
  const app = await begin(config, logger)
  if (typeof app === 'number') return app
  logger.info({ publicUrl: config.publicUrl, clusters: config.clusters.map(({ name }) => name) }, 'the console answers')

  const signal = await stopped
  logger.info({ signal }, 'the console stops')
  await app.drain()
  app.management.close()
  await app.close()
  logger.info({}, 'the console has ended')
  return 0
}

/** The exit status when it cannot start, which has been said. */
async function begin(config: Config, logger: Logger): Promise<App | number> {
  let app: App | null = null
  try {
    const tools = { clock: systemClock, random: systemRandom, logger }
    app = await createApp({ config, tools, siteFolder: siteFolder(), version: version() })
    await listen(app.server, config.listen)
    await listen(app.management, config.management)
    return app
  } catch (error) {
    process.stderr.write(`malleus: ${whyNot(error)}\n`)
    await app?.close()
    return isOfConfiguration(error) ? 2 : 1
  }
}

/** What no other moment would make right, but another line in the configuration. */
function isOfConfiguration(error: unknown): boolean {
  return error instanceof FolderUnusable || (error instanceof Error && error.cause instanceof FolderUnusable)
}

/** A sentence where there is one for the person who starts it; for a mistake of ours, where it happened. */
function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const plain = [KeysUnusable, FolderUnusable, CannotOpenDatabase, AuditUnavailable, CannotListen]
  return plain.some((kind) => error instanceof kind) ? error.message : (error.stack ?? error.message)
}

/** Beside the bundle when there is one, in web/dist in a clone. */
function siteFolder(): string {
  const bundled = fileURLToPath(new URL('./web', import.meta.url))
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('../../web/dist', import.meta.url))
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal))
  })
}

/** A mistake of ours in one place is no reason to end the sessions of everybody: it is logged, and work goes on. */
function reportStrayErrors(logger: Logger): void {
  process.on('unhandledRejection', (reason) => logger.error({ err: reason }, 'a rejection was not handled'))
  process.on('uncaughtException', (error) => logger.error({ err: error }, 'an exception was not handled'))
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { config: { type: 'string' } } })
  process.exit(await start(configFile(values.config)))
}
