/**
 * The whole console in this process, as main.ts builds it from its configuration file: real sockets, real databases in a
 * folder of its own, a stand-in cluster behind it and a stand-in provider beside it.
 */
import { once } from 'node:events'
import path from 'node:path'
import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import { listClusters } from '@malleus/shared/api/clusters.ts'
import { pino } from 'pino'
import type { App } from '../src/app.ts'
import { createApp } from '../src/app.ts'
import { SqliteAuditStore } from '../src/audit/audit-store.sqlite.ts'
import { parseRecord } from '../src/audit/record.ts'
import { loadConfig } from '../src/config.ts'
import type { Database } from '../src/database/database.ts'
import { openDatabase } from '../src/database/database.ts'
import { systemClock } from '../src/lib/clock.ts'
import { systemRandom } from '../src/lib/random.ts'
import { eventually } from './eventually.ts'
import type { LiveClient } from './live-client.ts'
import { TestBrowser } from './test-browser.ts'
import type { PersonName, TestWorld, TestWorldOptions } from './test-world.ts'
import { clusterName, people, startTestWorld } from './test-world.ts'

export interface TestAppOptions extends TestWorldOptions {
  /** Called when all is there but the console. */
  readonly before?: (world: TestWorld) => Promise<void> | void
  /** Does not wait until every member is known to be well. */
  readonly impatient?: boolean
}

export interface TestApp extends TestWorld {
  readonly app: App
  /** Every line that was logged, from `debug` on. */
  readonly logs: readonly string[]
  /** A browser in which nobody is signed in. */
  browser(): TestBrowser
  /** A browser in which that person is. */
  signIn(person: PersonName): Promise<TestBrowser>
  /** The person's live stream, once it carries what the cluster tells. */
  listen(browser: TestBrowser): Promise<LiveClient>
  /** Says something in the cluster until the stream tells it: all that was to come before has come, or was missed. */
  untilHeard(live: LiveClient): Promise<void>
  /** Every record of the access history that is durable, oldest first. */
  history(): Promise<readonly AuditRecord[]>
  /** Ends the console as a signal does and starts another one in its place, from what the first one wrote. */
  restart(): Promise<void>
  /** A second connection to the database of the history, to spoil it with. */
  auditDatabase(): Promise<Database>
}

export async function startTestApp({ before, impatient = false, ...options }: TestAppOptions = {}): Promise<TestApp> {
  const world = await startTestWorld(options)
  const ends: (() => Promise<void> | void)[] = [() => world.close()]
  try {
    await before?.(world)
    const logs: string[] = []
    let app = await begin(world, logs)
    ends.push(() => endApp(app))
    const restart = async (): Promise<void> => {
      await endApp(app)
      app = await begin(world, logs)
    }

    let audit: Promise<Database> | undefined
    const auditDatabase = (): Promise<Database> => {
      if (audit === undefined) {
        audit = openDatabase(path.join(world.folder, 'var'), 'audit')
        ends.push(async () => (await audit)?.close())
      }
      return audit
    }
    const browser = (): TestBrowser => {
      const opened = new TestBrowser(world.publicUrl, world.provider)
      ends.push(() => opened.close())
      return opened
    }
    const signIn = async (person: PersonName): Promise<TestBrowser> => {
      const opened = browser()
      const landed = await opened.signIn(people[person].sub)
      if (landed !== '/') throw new Error(`${person} was sent to ${landed}`)
      return opened
    }
    const history = async (): Promise<readonly AuditRecord[]> => {
      const lines = await new SqliteAuditStore(await auditDatabase()).after(0, 1_000_000)
      return lines.map(({ text }) => parseRecord(text)).filter((record) => record !== undefined)
    }

    let marks = 0
    const untilHeard = async (live: LiveClient): Promise<void> => {
      const from = live.told.length
      marks += 1
      const source = `/1.0/profiles/mark${marks}`
      let saidAt = Number.NEGATIVE_INFINITY
      await eventually(
        () => {
          if (performance.now() - saidAt > 50) {
            world.cluster.emit({ action: 'profile-updated', source })
            saidAt = performance.now()
          }
          return live.told.slice(from).some(({ event }) => event.kind === 'resource-changed' && event.source === source)
        },
        (heard) => heard,
      )
    }
    const listen = async (opened: TestBrowser): Promise<LiveClient> => {
      const live = await opened.live()
      await untilHeard(live)
      return live
    }

    const testApp: TestApp = {
      ...world,
      get app() {
        return app
      },
      logs,
      browser,
      signIn,
      listen,
      untilHeard,
      history,
      restart,
      auditDatabase,
      close: async () => {
        for (const end of ends.splice(0).toReversed()) await end()
      },
    }
    if (!impatient) await untilWell(testApp)
    return testApp
  } catch (error) {
    for (const end of ends.splice(0).toReversed()) await end()
    throw error
  }
}

/** The one cluster as the page sees it. */
export async function clusterSeenBy(browser: TestBrowser): Promise<ClusterSummary> {
  const { clusters } = listClusters.reply.parse((await browser.get('/api/clusters')).json)
  const cluster = clusters.find(({ name }) => name === clusterName)
  if (cluster === undefined) throw new Error('the cluster is not in the list')
  return cluster
}

async function begin(world: TestWorld, logs: string[]): Promise<App> {
  const loaded = loadConfig({ file: world.configFile, environment: {} })
  if (!loaded.ok) throw new Error(loaded.mistakes.map(({ path: at, message }) => `${at} ${message}`).join('\n'))
  const logger = pino({ level: 'debug', base: null }, { write: (line: string) => void logs.push(line) })
  const app = await createApp({
    config: loaded.config,
    tools: { clock: systemClock, random: systemRandom, logger },
    siteFolder: path.join(world.folder, 'site'),
    version: '0.0.0-test',
  })
  app.server.listen(world.port, '127.0.0.1')
  await once(app.server, 'listening')
  return app
}

async function endApp(app: App): Promise<void> {
  app.server.closeAllConnections()
  const closed = new Promise<void>((resolve) => app.server.close(() => resolve()))
  await app.close()
  await closed
}

/** Every member is well, and the console hears what happens. */
async function untilWell(app: TestApp): Promise<void> {
  const browser = await app.signIn('viewer')
  await eventually(
    () => clusterSeenBy(browser),
    ({ worst, members }) => worst === 'healthy' && members.answering === app.cluster.members.length,
    25_000,
  )
  await eventually(
    () => app.cluster.eventStreams,
    (streams) => streams >= Math.min(2, app.cluster.members.length),
  )
  browser.close()
}
