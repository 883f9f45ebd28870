// Everything that `/metrics` tells of the console and its clusters. The document and the tests of the dashboard and the
// alerts are made from this table. Labels are names of clusters, members and access paths and words out of closed lists,
// never a person, what they ask for or the address of one, so there are only so many series, and whoever reads them
// learns nothing of people.

import type { CheckLevel } from '@malleus/shared/api/access-paths.ts'
import { standings } from '@malleus/shared/domain/health.ts'
import { doorMetrics } from '../http/metrics.ts'
import { counter, type Definition, gauge, histogram } from '../lib/instruments.ts'

/** In seconds; 300 ms is the promise for a read, 5 s its deadline, 30 s that of a change. */
const waits = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 5, 30]
/** Fewer, because there is one set of them for each member. */
const memberWaits = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 5, 30]

/** Requests of people to a cluster, as they experience them, and what they cost. */
export const requestMetrics = {
  requests: counter(
    'malleus_cluster_requests_total',
    'Requests of people to a cluster, by class and result: answered, refused, or the code of the failure.',
    ['cluster', 'class', 'result'],
  ),
  seconds: histogram(
    'malleus_cluster_request_seconds',
    'Time until a request of a person to a cluster was answered or failed; from what is last known where that is the answer.',
    ['cluster', 'class'],
    waits,
  ),
  asked: counter(
    'malleus_gateway_requests_total',
    'Requests put to the members of a cluster, the own ones of the console too, by how: first (one attempt), hedged, next (another member after a failure), none (nobody to ask); and by result: answered or a code.',
    ['cluster', 'class', 'how', 'result'],
  ),
  askedSeconds: histogram(
    'malleus_gateway_request_seconds',
    'Time until the first member had answered, or nobody did.',
    ['cluster', 'class'],
    waits,
  ),
  budget: gauge('malleus_hedge_budget', 'Hedges and retries that the budget of a cluster has left.', ['cluster']),
  withheld: counter(
    'malleus_hedges_withheld_total',
    'Second attempts that were not made because the budget was empty.',
    ['cluster'],
  ),
  outcomes: counter(
    'malleus_outcomes_total',
    'What became of changes whose answer was lost: confirmed, not_applied or unknown.',
    ['cluster', 'outcome'],
  ),
} as const

/** What is sent to each member, and how it answers. */
export const memberMetrics = {
  attempts: counter('malleus_member_attempts_total', 'Attempts begun at a member, by class of request.', [
    'cluster',
    'member',
    'class',
  ]),
  failures: counter(
    'malleus_member_failures_total',
    'Attempts at a member that failed, by kind. incus-refused is an answer as good as any (4xx), silent one that was not waited for any longer.',
    ['cluster', 'member', 'class', 'kind'],
  ),
  seconds: histogram(
    'malleus_member_attempt_seconds',
    'Time from an attempt being sent to its answer, by class of request.',
    ['cluster', 'member', 'class'],
    memberWaits,
  ),
  inFlight: gauge('malleus_member_in_flight', 'Requests and streams under way at a member, by kind of limit.', [
    'cluster',
    'member',
    'kind',
  ]),
  inFlightMost: gauge('malleus_member_in_flight_most', 'As many may be under way; half of it in panic.', [
    'cluster',
    'member',
    'kind',
  ]),
  waiting: gauge('malleus_member_waiting', 'Requests that wait for their turn at a member, by kind of limit.', [
    'cluster',
    'member',
    'kind',
  ]),
} as const

/** What probes find, and what is believed of members because of it. */
export const healthMetrics = {
  probes: counter(
    'malleus_probes_total',
    'Probes of a member, by kind (light, cold, deep) and by result: answered, or the phase in which they failed.',
    ['cluster', 'member', 'kind', 'result'],
  ),
  phases: histogram(
    'malleus_probe_phase_seconds',
    'Time that the phases of probes took: connect and tls of new connections, answer from the request to the first byte.',
    ['cluster', 'member', 'phase'],
    memberWaits,
  ),
  standing: gauge(
    'malleus_member_standing',
    `What is believed of a member: ${standings.map((standing, at) => `${at} ${standing}`).join(', ')}.`,
    ['cluster', 'member'],
  ),
  symptom: gauge('malleus_member_symptom', '1 for the symptom that a member shows.', ['cluster', 'member', 'symptom']),
  changes: counter(
    'malleus_member_standing_changes_total',
    'Changes of what is believed of a member, by the new standing.',
    ['cluster', 'member', 'standing'],
  ),
  answer: gauge('malleus_member_answer_seconds', 'Median of the answers of a member to probes in the last minute.', [
    'cluster',
    'member',
  ]),
  database: gauge(
    'malleus_cluster_database_available',
    'Whether the cluster database answers on any member: 1 or 0; absent before anybody asked.',
    ['cluster'],
  ),
  panic: gauge('malleus_cluster_panic', 'Whether fewer than half of the measured members answer: 1 or 0.', ['cluster']),
} as const

/** In the order of badness; a metric tells the place in it. */
export const pathLevels: readonly CheckLevel[] = ['good', 'info', 'unknown', 'warning', 'bad']

/** Ways in which clients reach a cluster, as new clients meet them. */
export const accessPathMetrics = {
  verdict: gauge(
    'malleus_access_path_verdict',
    `What an access path is worth: ${pathLevels.map((level, at) => `${at} ${level}`).join(', ')}.`,
    ['cluster', 'path'],
  ),
  visits: counter(
    'malleus_access_path_visits_total',
    'New connections made to an access path, by result: answered, or how they failed.',
    ['cluster', 'path', 'result'],
  ),
  seconds: histogram(
    'malleus_access_path_first_answer_seconds',
    'Time from a new connection to its first answer, of those that were answered within a second.',
    ['cluster', 'path'],
    memberWaits,
  ),
} as const

/** When certificates end. */
export const certificateMetrics = {
  cluster: gauge('malleus_cluster_certificate_expiry_timestamp_seconds', 'When the certificate of a cluster expires.', [
    'cluster',
  ]),
  member: gauge(
    'malleus_member_certificate_expiry_timestamp_seconds',
    'When the certificate that a member presents expires.',
    ['cluster', 'member'],
  ),
  identity: gauge(
    'malleus_identity_certificate_expiry_timestamp_seconds',
    'When the certificate expires by which a cluster knows this console.',
    ['cluster'],
  ),
  console: gauge(
    'malleus_console_certificate_expiry_timestamp_seconds',
    'When the certificate expires that browsers are shown; absent without TLS.',
    [],
  ),
  soonest: gauge(
    'malleus_soonest_certificate_expiry_timestamp_seconds',
    'When the first certificate of a kind expires, of those that are told of in time: cluster, identity, access-path, trust-entry; without a cluster console and provider.',
    ['cluster', 'kind'],
  ),
} as const

/** What Incus tells while it happens, and what goes on to browsers. */
export const streamMetrics = {
  events: gauge(
    'malleus_event_streams',
    'Event streams of members that are listened to, with the authority of the console and of people.',
    ['cluster', 'authority'],
  ),
  gaps: counter('malleus_event_gaps_total', 'Times in which events of a cluster may have been missed.', [
    'cluster',
    'authority',
  ]),
  gapSeconds: counter('malleus_event_gap_seconds_total', 'How long those times were together.', [
    'cluster',
    'authority',
  ]),
  requestLogs: gauge('malleus_request_log_streams', 'Members whose request log is read into the access history.', [
    'cluster',
  ]),
  live: gauge('malleus_live_streams', 'Live streams that are open to browsers.', []),
} as const

/** The console itself. */
export const consoleMetrics = {
  build: gauge('malleus_build_info', '1, with the version that runs.', ['version']),
  ready: gauge('malleus_ready', 'Whether this replica takes requests: 1 or 0.', []),
  sessions: gauge('malleus_sessions', 'Sessions that are open, as of the last minute.', []),
  sessionEnds: counter('malleus_session_ends_total', 'Sessions that ended here, by how.', ['kind']),
  auditRecords: counter('malleus_audit_records_total', 'Records of the access history that are durable.', []),
  auditWaiting: gauge('malleus_audit_waiting', 'Records that wait to be durable.', []),
  auditAvailable: gauge('malleus_audit_available', 'Whether the access history can be written: 1 or 0.', []),
  strangers: counter(
    'malleus_audit_strangers_passed_over_total',
    'Refusals of strangers that share a record with others or have none.',
    [],
  ),
  database: histogram(
    'malleus_database_seconds',
    'Time that statements took, by database (malleus: sessions and all else; audit: the access history; search: what it is asked by).',
    ['database'],
    waits,
  ),
  databaseFailures: counter('malleus_database_failures_total', 'Statements that failed or were not answered in time.', [
    'database',
  ]),
  alerts: counter(
    'malleus_alert_messages_total',
    'Messages about certificates that end, by sink (webhook, email) and result: delivered or failed.',
    ['sink', 'result'],
  ),
  alertsWaiting: gauge('malleus_alerts_waiting', 'Alerts of certificates that end which a sink has not taken yet.', [
    'sink',
  ]),
  provider: histogram(
    'malleus_provider_request_seconds',
    'Time that requests to the identity provider took; result is the class of its status, or failed.',
    ['result'],
    waits,
  ),
} as const

/** In the order of the document. */
export const metricSections: readonly { readonly title: string; readonly metrics: readonly Definition[] }[] = [
  { title: 'Requests of browsers', metrics: Object.values(doorMetrics) },
  { title: 'Requests to clusters', metrics: Object.values(requestMetrics) },
  { title: 'Members', metrics: Object.values(memberMetrics) },
  { title: 'Health', metrics: Object.values(healthMetrics) },
  { title: 'Access paths', metrics: Object.values(accessPathMetrics) },
  { title: 'Certificates', metrics: Object.values(certificateMetrics) },
  { title: 'Events and live streams', metrics: Object.values(streamMetrics) },
  { title: 'The console', metrics: Object.values(consoleMetrics) },
]
