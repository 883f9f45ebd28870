import type { Replacement } from '@malleus/shared/api/certificate-replacement.ts'
import { auditEntry, requestOf } from '../audit/record.ts'
import type { AuditEntry } from '../audit/record.ts'
import type { CertificateFacts } from '../certificates/cluster-certificates.ts'
import { currentCertificate, makesHandshakes, neededNames } from '../certificates/cluster-certificates.ts'
import { DriftWatch } from '../certificates/drift-watch.ts'
import type { AccessName } from '../certificates/names-needed.ts'
import { sqlitePreparedKeyStore } from '../certificates/prepared-key-store.sqlite.ts'
import { PreparedKeys } from '../certificates/prepared-keys.ts'
import { sqliteReplacementStore } from '../certificates/replacement-store.sqlite.ts'
import type { KeptReplacement, MemberShows } from '../certificates/replacement.ts'
import { Replacements } from '../certificates/replacements.ts'
import type { ReplacementFacts } from '../certificates/replacements.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { ClusterConfig } from '../config.ts'
import { silenceOf } from '../health/silence.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { ClusterParts, Tools } from './cluster-parts.ts'
import type { Storage } from './storage.ts'

/** The certificate of one cluster: what is known of it, its replacement, and who was left behind. */
export interface ClusterCertificates {
  readonly replacements: Replacements
  readonly keys: PreparedKeys
  /** What is known at this moment, but for what others have to say. */
  facts(): Omit<CertificateFacts, 'findings' | 'identity'>
  /** Hears when a replacement goes on or somebody drifts. */
  subscribe(listener: () => void): () => void
  start(): void
  stop(): void
}

const ASK_SOON_MS = 300

/** From this version on Incus routes authorization by client, and replaces the certificate with a member offline. */
const TIP_EXTENSION = 'authorization_client_routing'

export function createClusterCertificates(
  { accessPaths }: Pick<ClusterConfig, 'accessPaths'>,
  parts: ClusterParts,
  { database, history, keys: consoleKeys }: Pick<Storage, 'database' | 'history' | 'keys'>,
  tools: Tools,
): ClusterCertificates {
  const { cluster, reported, prober, discovery, readings, follower } = parts
  const { name, directory, board, gateway, trust } = cluster
  const changes = new Subscribable<null>()
  const store = sqliteReplacementStore(database)
  const keys = new PreparedKeys({
    cluster: name,
    store: sqlitePreparedKeyStore(database),
    serverKey: consoleKeys.server,
    ...tools,
  })
  const replacements = new Replacements({
    cluster: name,
    gateway,
    trust,
    follower,
    facts: replacementFacts,
    shows: () => shows(),
    lookAt: (member) => prober.look(member),
    onPresented: (listener) => prober.onPresented(listener),
    refresh: () => readings.refreshServers(),
    keys,
    store,
    onChange: () => changes.publish(null),
    onEnd: (replacement) => {
      record(becameOf(name, replacement))
      drift.look()
    },
    ...tools,
  })
  const drift = new DriftWatch({
    cluster: name,
    now: () => ({
      current: fingerprintNow(),
      members: shows().filter(({ member }) => board.current(member).standing !== 'untrusted'),
      absent: shows()
        .filter(({ answers }) => !answers)
        .map(({ member, why }) => ({ member, why: why ?? 'It had made no handshake yet.' })),
    }),
    isReplacing: () => replacements.isRunning,
    board,
    store,
    onChange: ({ member, fingerprint }, kind) => {
      record(auditEntry({ action: `certificate.drift-${kind}`, cluster: name, object: `${member} ${fingerprint}` }))
      changes.publish(null)
    },
    ...tools,
  })
  let ends: (() => void)[] = []
  let cancelAsking: (() => void) | null = null

  function seen(): Pick<CertificateFacts, 'members' | 'announced'> {
    const members = directory.list().map((known) => ({
      known,
      health: board.view(known.name),
      presented: prober.presented(known.name),
    }))
    return { members, announced: announcedByMost() }
  }

  /** Of one that was left behind, what it says of itself is not what the cluster has. */
  function announcedByMost(): string | null {
    const said = directory.list().flatMap(({ name: member }) => {
      const certificate = readings.of(member).server.value?.environment?.certificate
      return typeof certificate === 'string' ? [certificate] : []
    })
    const newest = readings.anyServer.value?.environment?.certificate ?? null
    const votes = (certificate: string): number => said.filter((each) => each === certificate).length
    return said.reduce((most, each) => (most === null || votes(each) > votes(most) ? each : most), newest)
  }

  function facts(): Omit<CertificateFacts, 'findings' | 'identity'> {
    return {
      anchor: trust.anchor,
      ...seen(),
      names: accessPaths.flatMap(namesOfPath),
      clustered: discovery.clustered,
      config: readings.anyServer.value?.config ?? null,
      renewsByShare: isTip(),
      drifted: drift.drifted,
      changes: drift.changes,
    }
  }

  function fingerprintNow(): string | null {
    const current = currentCertificate(seen())
    return current === null ? null : fingerprintOf(current.certificate)
  }

  function shows(): readonly MemberShows[] {
    return directory
      .list()
      .filter(({ contacted }) => contacted)
      .map((known) => {
        const { standing, symptom, failure } = board.current(known.name)
        const presented = prober.presented(known.name)
        const answers = presented !== null && makesHandshakes({ standing, failure })
        return {
          member: known.name,
          answers,
          fingerprint: presented && fingerprintOf(presented.certificate),
          seenAt: presented?.seenAt ?? null,
          why: answers ? null : (silenceOf({ standing, symptom }) ?? failure?.message ?? null),
        }
      })
  }

  function replacementFacts(): ReplacementFacts {
    const known = facts()
    const members = known.members
      .filter(({ known: { contacted } }) => contacted)
      .map(({ known: { name: member, endpoint }, health }) => ({
        name: member,
        host: endpoint.host,
        standing: health.standing,
        symptom: health.symptom,
        reported: reported.latest?.rows.get(member)?.status ?? null,
      }))
    const lost = members.some((member) => member.reported === 'Offline' && member.standing !== 'ejected')
    return {
      current: currentCertificate(known),
      needed: neededNames(known),
      cluster: {
        clustered: discovery.clustered,
        version: readings.anyServer.value?.environment?.server_version ?? null,
        leavesBehind: isTip(),
        databaseAvailable: board.databaseAvailable,
        members,
      },
      dark: lost || board.databaseAvailable === false,
    }
  }

  function isTip(): boolean {
    return readings.anyServer.value?.api_extensions?.includes(TIP_EXTENSION) ?? false
  }

  /**
   * One presents another certificate than the cluster has, as far as that is known: what the others say now tells which
   * it has, while it is still known who is away. Once for all that move at the same time.
   */
  function askSoon(): void {
    const current = fingerprintNow()
    const differs = shows().some(({ answers, fingerprint }) => answers && fingerprint !== current)
    if (cancelAsking !== null || current === null || !differs) return
    cancelAsking = tools.clock.after(ASK_SOON_MS, () => {
      cancelAsking = null
      readings.refreshServers()
    })
  }

  /** What answers at a member's address is sent nothing from now on. */
  function recordStranger(member: string): void {
    const presented = prober.presented(member)
    const object = presented === null ? member : `${member} ${fingerprintOf(presented.certificate)}`
    record(auditEntry({ action: 'certificate.stranger', cluster: name, object }))
  }

  function record(entry: AuditEntry): void {
    try {
      history.record(entry)
    } catch (error) {
      tools.logger.error({ err: error, ...entry }, 'what became of a certificate is missing in the access history')
    }
  }

  return {
    replacements,
    keys,
    facts,
    subscribe: (listener) => changes.subscribe(listener),
    start: () => {
      ends = [
        prober.onPresented(() => {
          drift.look()
          askSoon()
        }),
        trust.subscribe(() => drift.look()),
        readings.onServer(() => drift.look()),
        board.subscribe((change) => {
          if (change.kind !== 'member' || change.after === null) return
          const { member, before, after } = change
          if (after.standing === 'untrusted' && before?.standing !== 'untrusted') recordStranger(member)
          if (before === null || makesHandshakes(before) !== makesHandshakes(after)) changes.publish(null)
        }),
      ]
      void replacements.start()
      void drift.start()
    },
    stop: () => {
      for (const end of ends) end()
      cancelAsking?.()
      drift.stop()
      replacements.stop()
    },
  }
}

/** In the access history, beside what was asked. */
function becameOf(cluster: string, { requestId, fingerprint, verdict }: KeptReplacement): AuditEntry {
  const req = requestOf({ id: requestId, method: '', route: '', path: '' })
  const out = { status: null, op: null, opStatus: opStatuses[verdict ?? 'in-part'], bytes: null, ms: null, code: null }
  return auditEntry({ action: 'certificate.replace', cluster, object: fingerprint, req, out })
}

const opStatuses: Readonly<Record<NonNullable<Replacement['verdict']>, string>> = {
  done: 'confirmed',
  'not-done': 'not-applied',
  'in-part': 'failure',
}

/** Names and addresses that clients use on a way in, and that the certificate therefore has to cover. */
function namesOfPath(path: ClusterConfig['accessPaths'][number]): AccessName[] {
  switch (path.kind) {
    case 'dns':
      return [{ name: path.name, usedFor: 'clients that use this name' }]
    case 'load-balancer':
    case 'floating-ip':
    case 'ecmp':
    case 'member': {
      const host = new URL(`https://${path.address}`).hostname.replaceAll(/^\[|\]$/g, '')
      return [{ name: host, usedFor: `clients that come through ${path.name}` }]
    }
    case 'local':
      return []
  }
}
