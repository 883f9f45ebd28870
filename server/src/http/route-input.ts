import type { IncomingHttpHeaders } from 'node:http'
import { isIPv6 } from 'node:net'
import type { z } from 'zod'
import type { Endpoint } from '@malleus/shared/api/endpoint.ts'
import { Name } from '@malleus/shared/domain/name.ts'
import { parseTarget, type Target } from '@malleus/shared/domain/target.ts'
import type { DoorLimits } from './door.ts'
import { Refusal } from './problem.ts'
import { parseQuery } from './request-path.ts'
import { parseStrictJson } from './strict-json.ts'

/** What a request says, checked against what its endpoint takes. */
export interface Input {
  readonly params: Readonly<Record<string, string>>
  readonly query: unknown
  readonly body: unknown
  /** Through which members the person wants it to enter. */
  readonly target: Target
}

/** The parts of a request that its route has not taken apart yet. */
export interface RoutedRequest {
  readonly params: Readonly<Record<string, unknown>>
  readonly headers: IncomingHttpHeaders
}

/** Reads the parts of a request for one endpoint. Whatever the endpoint does not name is refused. */
export function inputReader(endpoint: Endpoint, limits: DoorLimits) {
  const query = endpoint.query?.strict()
  return {
    read: ({ params, headers }: RoutedRequest, rawQuery: string, rawBody: Buffer | null): Input => ({
      params: readParams(params),
      query: readQuery(query, rawQuery),
      body: readJson(endpoint.body, rawBody, limits),
      target: readTarget(headers['x-malleus-target']),
    }),
  }
}

function readParams(params: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const entries = Object.entries(params).map(([key, value]): [string, string] => {
    if (typeof value !== 'string' || !isObjectName(value)) {
      throw new Refusal('bad_path', `The part of the address for "${key}" is not a valid name.`)
    }
    return [key, value]
  })
  return Object.fromEntries(entries)
}

/** A member that was not discovered yet is called by its address, and one over IPv6 has brackets. */
function isObjectName(value: string): boolean {
  if (Name.safeParse(value).success) return true
  const v6 = /^\[([^\]]+)\]:\d{1,5}$/.exec(value)
  return v6?.[1] !== undefined && isIPv6(v6[1])
}

function readQuery(schema: z.ZodObject | undefined, raw: string): unknown {
  const values = parseQuery(raw)
  if (schema === undefined) {
    const [unknown] = Object.keys(values)
    if (unknown === undefined) return undefined
    throw new Refusal('bad_query', `This request takes no "${unknown.slice(0, 64)}".`)
  }
  const parsed = schema.safeParse(values)
  if (parsed.success) return parsed.data
  throw new Refusal('bad_query', describeIssues(parsed.error))
}

function readJson(schema: z.ZodType | undefined, raw: Buffer | null, limits: DoorLimits): unknown {
  if (schema === undefined) {
    if (raw === null || raw.length === 0) return undefined
    throw new Refusal('bad_body', 'This request has no body.')
  }
  if (raw === null || raw.length === 0) throw new Refusal('bad_body', 'The body is missing.')
  const parsed = schema.safeParse(parseStrictJson(raw, limits))
  if (parsed.success) return parsed.data
  throw new Refusal('bad_body', describeIssues(parsed.error))
}

/** Where and what, without repeating what was sent: it may be a secret. */
function describeIssues(error: z.ZodError): string {
  const sentences = error.issues.slice(0, 5).map((issue) => {
    const at = issue.path.map(String).join('.')
    const what = issue.code === 'unrecognized_keys' ? `unknown: ${issue.keys.slice(0, 5).join(', ')}` : issue.message
    return at === '' ? what : `${at}: ${what}`
  })
  const text = sentences.join('; ')
  return text.length > 300 ? `${text.slice(0, 299)}…` : text
}

/** `X-Malleus-Target` as the page sends it: a name, or `@` and a group, percent-encoded where it has to be. */
function readTarget(header: string | string[] | undefined): Target {
  if (header === undefined) return parseTarget(undefined)
  const target = parseTarget(decoded(String(header)))
  if (target.kind !== 'any' && !isObjectName(target.name)) {
    throw new Refusal('bad_request', 'X-Malleus-Target is not the name of a server or @group.')
  }
  return target
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Refusal('bad_request', 'X-Malleus-Target is not well formed.')
  }
}
