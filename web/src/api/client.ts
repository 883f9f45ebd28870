import { pathOf, type Endpoint, type InputOf, type ReplyOf } from '@malleus/shared/api/endpoint.ts'
import { formatTarget, type Target } from '@malleus/shared/domain/target.ts'
import { proveAgain } from '../stores/proof.ts'
import { takeEarly } from './early.ts'
import { ApiError, errorFromNetwork, errorFromResponse } from './api-error.ts'

interface CallOptions {
  readonly signal?: AbortSignal
  /** Through which servers the request enters the cluster; default any that answers. */
  readonly target?: Target
  /** One key for one intention: the same key never does a thing twice. Default: a new one. */
  readonly idempotencyKey?: string
}

type AskOptions = CallOptions & Required<Pick<CallOptions, 'idempotencyKey'>>

let person: string | undefined

/**
 * From now on the console is asked for this person only: once the cookie of the browser is somebody else's, it refuses,
 * and nothing of theirs reaches this page.
 */
export function askFor(tag: string): void {
  person = tag
}

/**
 * Asks the console. Gives the parsed reply, or throws an ApiError and nothing else, except when it was aborted. What was
 * turned away before anything was done is asked once more, with the same key, when that can change the answer.
 */
export async function call<E extends Endpoint>(
  endpoint: E,
  input: InputOf<E>,
  options: CallOptions = {},
): Promise<ReplyOf<E>> {
  const { idempotencyKey = crypto.randomUUID() } = options
  const asked = { ...options, idempotencyKey }
  try {
    return await ask(endpoint, input, asked)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.code === 'step_up_required') await provenOr(error)
    // The session was replaced while this was under way; the browser has the cookie of the new one.
    else if (error.code !== 'session_renewed') throw error
    return ask(endpoint, input, asked)
  }
}

/** Waits until the person has proved who they are; throws when they do not want to. */
async function provenOr({ code, status, requestId }: ApiError): Promise<void> {
  if (await proveAgain()) return
  throw new ApiError('It needs you to prove again who you are, and you did not. Nothing was done.', {
    code,
    status,
    requestId,
  })
}

async function ask<E extends Endpoint>(endpoint: E, input: InputOf<E>, options: AskOptions): Promise<ReplyOf<E>> {
  const changes = endpoint.method !== 'GET'
  let response: Response
  let text: string
  try {
    response = await send(endpoint, input, options)
    text = await response.text()
  } catch (cause) {
    if (options.signal?.aborted) throw cause
    throw errorFromNetwork(cause, changes)
  }
  const body = parseJson(text)
  const requestId = response.headers.get('x-request-id') ?? undefined
  if (!response.ok) throw errorFromResponse(response.status, body, requestId)
  const reply = endpoint.reply.safeParse(body)
  if (!reply.success) {
    throw new ApiError(
      'The console answered with something this page does not understand. Reload it to be up to date.',
      {
        code: 'bad_reply',
        status: response.status,
        requestId,
        outcomeUnknown: false,
        cause: reply.error,
      },
    )
  }
  // `reply` is parsed by the schema that ReplyOf<E> is inferred from; the compiler cannot follow that through E.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return reply.data as ReplyOf<E>
}

function send(endpoint: Endpoint, input: SentInput, options: AskOptions): Promise<Response> {
  const path = pathWithQuery(endpoint, input)
  const early = endpoint.method === 'GET' && isAny(options.target) ? takeEarly(path) : undefined
  return early ?? fetch(`/api${path}`, requestOf(endpoint, input, options))
}

interface SentInput {
  readonly params?: unknown
  readonly query?: unknown
  readonly body?: unknown
}

function isAny(target: Target | undefined): boolean {
  return target === undefined || target.kind === 'any'
}

function pathWithQuery(endpoint: Endpoint, input: SentInput): string {
  const params = isRecord(input.params) ? stringsOf(input.params) : {}
  const query = isRecord(input.query) ? new URLSearchParams(stringsOf(input.query)).toString() : ''
  return `${pathOf(endpoint.path, params)}${query === '' ? '' : `?${query}`}`
}

function requestOf(endpoint: Endpoint, input: SentInput, options: AskOptions): RequestInit {
  const headers = new Headers({ accept: 'application/json', 'x-console-request': '1' })
  const target = options.target === undefined ? undefined : formatTarget(options.target)
  if (target !== undefined) headers.set('x-malleus-target', target)
  if (person !== undefined) headers.set('x-malleus-person', person)
  if (endpoint.method !== 'GET') headers.set('idempotency-key', options.idempotencyKey)
  if (input.body !== undefined) headers.set('content-type', 'application/json')
  return {
    method: endpoint.method,
    headers,
    credentials: 'same-origin',
    redirect: 'error',
    ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  }
}

function stringsOf(record: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
