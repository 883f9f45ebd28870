import type { ClusterEvent } from '@malleus/shared/api/events.ts'
import { describe, expect, test } from 'vitest'
import { gapTitle, sentenceOf, toneOf, whoDid, wordedActions } from './event-words.ts'

const event = (fields: Partial<ClusterEvent>): ClusterEvent => ({
  kind: 'event',
  seq: 1,
  type: 'lifecycle',
  at: '2026-11-22T06:12:00.000Z',
  heardAt: '2026-11-22T06:12:00.004Z',
  location: 'server1',
  project: 'default',
  action: 'instance-started',
  source: '/1.0/instances/web-1',
  description: null,
  who: null,
  raw: {},
  ...fields,
})
const work = (action: string, fields: Partial<ClusterEvent> = {}) =>
  event({ type: 'operation', action, source: '/1.0/operations/o1', description: 'Creating instance', ...fields })

describe('what was done', () => {
  test.each<[string, string, string]>([
    ['instance-started', '/1.0/instances/web-1', 'Instance web-1 was started'],
    ['instance-exec', '/1.0/instances/web-1', 'A command was run in instance web-1'],
    ['instance-created', '/1.0/instances/web-1', 'Instance web-1 was created'],
    ['instance-snapshot-created', '/1.0/instances/web-1/snapshots/daily', 'Snapshot daily of web-1 was created'],
    ['cluster-member-evacuated', '/1.0/cluster/members/server3', 'Server server3 was evacuated'],
    ['cluster-member-updated', '/1.0/cluster/members/server3', 'Server server3 was changed'],
    ['cluster-certificate-updated', '/1.0/cluster/certificate', 'The cluster certificate was replaced'],
    ['config-updated', '/1.0', 'The configuration of the servers was changed'],
    ['storage-volume-created', '/1.0/storage-pools/p/volumes/custom/v', 'Storage volume v of p was created'],
    ['network-zone-record-deleted', '/1.0/network-zones/z/records/r', 'Record r of z was deleted'],
    ['warning-acknowledged', '/1.0/warnings/w', 'A warning was acknowledged'],
    ['image-retrieved', '', 'Image was downloaded'],
    ['novelty-sparkled', '/1.0/novelties/n1', 'Novelty sparkled: n1'],
    ['novelty', '', 'Novelty'],
    ['constructor-created', '/1.0/x/y', 'Constructor created: y'],
  ])('%s of %s reads "%s"', (action, source, sentence) => {
    expect(sentenceOf(event({ action, source }))).toBe(sentence)
  })

  test('says what it was called before', () => {
    const raw = { metadata: { context: { old_name: 'web-0' } } }
    expect(sentenceOf(event({ action: 'instance-renamed', raw }))).toBe('Instance web-1 was renamed; it was web-0')
  })

  // Of incus `shared/api/event_lifecycle.go`, 6.0 and 7.0.
  test.each(
    [
      'certificate-created certificate-deleted certificate-updated cluster-enabled cluster-disabled',
      'cluster-certificate-updated cluster-token-created cluster-group-created cluster-group-deleted',
      'cluster-group-renamed cluster-group-updated cluster-member-added cluster-member-removed cluster-member-renamed',
      'cluster-member-updated cluster-member-evacuated cluster-member-restored cluster-member-healed config-updated',
      'image-created image-deleted image-updated image-refreshed image-retrieved image-secret-created',
      'image-alias-created image-alias-deleted image-alias-renamed image-alias-updated instance-created',
      'instance-deleted instance-renamed instance-updated instance-started instance-stopped instance-shutdown',
      'instance-restarted instance-paused instance-resumed instance-restored instance-ready instance-migrated',
      'instance-exec instance-console instance-console-reset instance-console-retrieved instance-file-pushed',
      'instance-file-retrieved instance-file-deleted instance-log-deleted instance-log-retrieved',
      'instance-metadata-retrieved instance-metadata-updated instance-metadata-template-created',
      'instance-metadata-template-deleted instance-metadata-template-retrieved instance-agent-started',
      'instance-agent-stopped instance-backup-created instance-backup-deleted instance-backup-renamed',
      'instance-backup-retrieved instance-snapshot-created instance-snapshot-deleted instance-snapshot-renamed',
      'instance-snapshot-updated network-created network-deleted network-renamed network-updated network-acl-created',
      'network-address-set-updated network-forward-created network-integration-deleted network-load-balancer-updated',
      'network-peer-created network-zone-created network-zone-record-updated operation-cancelled profile-created',
      'profile-deleted profile-renamed profile-updated project-created project-deleted project-renamed',
      'project-updated storage-pool-created storage-pool-deleted storage-pool-updated storage-bucket-created',
      'storage-bucket-key-created storage-bucket-backup-created storage-bucket-backup-retrieved',
      'storage-volume-created storage-volume-deleted storage-volume-updated storage-volume-renamed',
      'storage-volume-restored storage-volume-snapshot-created storage-volume-backup-created',
      'storage-volume-backup-retrieved warning-acknowledged warning-deleted warning-reset',
    ].flatMap((line) => line.split(' ')),
  )('%s has words of its own', (action) => {
    expect(wordedActions).toContain(action)
    expect(sentenceOf(event({ action, source: '/1.0/things/thing' }))).toMatch(
      /^[A-Z][^{}]* (was|were|joined|is|says|goes on|started|stopped)/,
    )
  })
})

describe('background work', () => {
  test.each<[string, Partial<ClusterEvent>, string]>([
    ['operation-running', {}, 'Creating instance: runs'],
    [
      'operation-running',
      { raw: { metadata: { metadata: { create_instance_progress: 'Unpack: 12%' } } } },
      'Creating instance: runs, Unpack: 12%',
    ],
    ['operation-succeeded', {}, 'Creating instance: is done'],
    ['operation-failed', { raw: { metadata: { err: 'no space left' } } }, 'Creating instance: failed, no space left'],
    ['operation-cancelled', { description: '' }, 'Background work: was cancelled'],
    ['operation-novel', {}, 'Creating instance: changed'],
  ])('%s', (action, fields, sentence) => {
    expect(sentenceOf(work(action, fields))).toBe(sentence)
  })

  test.each([
    ['operation-running', 'info'],
    ['operation-succeeded', 'good'],
    ['operation-failed', 'bad'],
    ['operation-cancelled', 'warning'],
  ])('%s looks %s', (action, tone) => {
    expect(toneOf(work(action))).toBe(tone)
  })

  test('what was done has no state', () => {
    expect(toneOf(event({}))).toBeUndefined()
  })
})

test.each([
  [{ name: 'mika@example.net', protocol: 'oidc' }, 'mika@example.net'],
  [{ name: 'ab'.repeat(32), protocol: 'tls' }, 'abababababab'],
  [{ name: 'root', protocol: 'unix' }, 'root, at a server'],
  [{ name: 'Mika', protocol: 'console' }, 'Mika, here'],
  [null, ''],
])('%j is called "%s"', (who, words) => {
  expect(whoDid({ who })).toBe(words)
})

test('a gap says how long it was', () => {
  const gap = { from: '2026-11-22T06:12:00.000Z', to: '2026-11-22T06:12:12.000Z' }
  expect(gapTitle(gap)).toBe('Events may be missing: 12 s')
})
