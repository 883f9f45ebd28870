import type { RequestHandler } from 'express'
import { z } from 'zod'
import { networkOf } from '../lib/network-of.ts'
import type { Door } from './door.ts'
import { exchangeOf } from './exchange.ts'
import { Refusal } from './problem.ts'
import { RateLimit } from './rate-limit.ts'
import { mediaType, readBody } from './read-body.ts'

/** The Reporting API (W3C) sends several, `report-uri` of older browsers one. Only what is logged is read. */
const Report = z.object({
  type: z.string().max(64).catch('unknown'),
  body: z
    .object({
      effectiveDirective: z.string().max(128).optional().catch(undefined),
      blockedURL: z.string().optional().catch(undefined),
      sourceFile: z.string().optional().catch(undefined),
      lineNumber: z.number().optional().catch(undefined),
    })
    .catch({}),
})
const OldReport = z.object({
  'csp-report': z.object({
    'effective-directive': z.string().max(128).optional().catch(undefined),
    'blocked-uri': z.string().optional().catch(undefined),
  }),
})

const MOST_BYTES = 16_384
const MOST_REPORTS = 20

/** `POST /reports`: browsers tell what the content policy stopped. Changes nothing but a counter and a log line. */
export function reportsHandler({ settings, clock, logger, metrics }: Door): RequestHandler {
  const { reportsPerMinute, bodyIdleMs } = settings.limits
  const rate = new RateLimit({ perSecond: reportsPerMinute / 60, burst: reportsPerMinute, clock })
  return async (request) => {
    const exchange = exchangeOf(request)
    exchange.route = '/reports'
    rate.take(networkOf(exchange.client.ip))
    const type = mediaType(request)
    if (type !== 'application/reports+json' && type !== 'application/csp-report') {
      throw new Refusal('unsupported_media_type')
    }
    const body = await readBody(request, { mostBytes: MOST_BYTES, idleMs: bodyIdleMs, clock })
    for (const report of readReports(body).slice(0, MOST_REPORTS)) {
      metrics.reported(report.directive)
      logger.warn({ requestId: exchange.id, report }, 'A browser reports that the content policy stopped something')
    }
    exchange.response.writeHead(204)
    exchange.response.end()
  }
}

/**
 * What a report can be of: the directives of CSP 3 and those of the specifications that add to it. Whatever else is said
 * counts as `other`, since each of them is a line of the metrics for good, and anybody can send reports.
 */
const directives: ReadonlySet<string> = new Set([
  'base-uri',
  'child-src',
  'connect-src',
  'default-src',
  'font-src',
  'form-action',
  'frame-ancestors',
  'frame-src',
  'img-src',
  'manifest-src',
  'media-src',
  'object-src',
  'require-trusted-types-for',
  'sandbox',
  'script-src',
  'script-src-attr',
  'script-src-elem',
  'style-src',
  'style-src-attr',
  'style-src-elem',
  'trusted-types',
  'worker-src',
])

interface ReadReport {
  readonly directive: string
  readonly blocked: string
  readonly source: string
}

function readReports(body: Buffer): ReadReport[] {
  let raw: unknown
  try {
    raw = JSON.parse(body.toString('utf8'))
  } catch {
    throw new Refusal('bad_body', 'The report is not JSON.')
  }
  const old = OldReport.safeParse(raw)
  if (old.success) {
    const { 'effective-directive': directive, 'blocked-uri': blocked } = old.data['csp-report']
    return [describe(directive, blocked, undefined)]
  }
  return (Array.isArray(raw) ? raw : [raw]).flatMap((item: unknown) => {
    const report = Report.safeParse(item)
    if (!report.success) return []
    const { effectiveDirective, blockedURL, sourceFile, lineNumber } = report.data.body
    return [
      describe(effectiveDirective ?? report.data.type, blockedURL, sourceFile && `${sourceFile}:${lineNumber ?? 0}`),
    ]
  })
}

function describe(directive: string | undefined, blocked: string | undefined, source: string | undefined): ReadReport {
  return {
    directive: directive !== undefined && directives.has(directive) ? directive : 'other',
    blocked: withoutQuery(blocked),
    source: withoutQuery(source),
  }
}

/** Addresses without what follows the path: a query may hold what nobody should read in a log. */
function withoutQuery(url: string | undefined): string {
  return (url ?? '').replace(/[?#].*$/s, '').slice(0, 200)
}
