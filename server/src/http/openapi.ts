import { z } from 'zod'
import { Problem } from '@malleus/shared/api/problem.ts'
import type { Route } from './route.ts'

/** The description of the API (OpenAPI 3.1), generated from the route table. */
export function describeApi(routes: readonly Route[], version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const row of routes) {
    const path = `/api${row.endpoint.path}`.replaceAll(/:([A-Za-z]+)/g, '{$1}')
    paths[path] ??= {}
    paths[path][row.endpoint.method.toLowerCase()] = describeRoute(row)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Malleus',
      version,
      description:
        'Every request needs the header `X-Console-Request: 1` and the session cookie; what changes something also an `Origin` equal to that of the console, and most of it an `Idempotency-Key`. Errors are problems (RFC 9457) with a closed list of codes.',
    },
    paths: {
      ...paths,
      '/api/live': {
        get: {
          summary: 'Live changes as they happen; continued exactly with `Last-Event-ID`.',
          responses: {
            200: { description: 'Events.', content: { 'text/event-stream': {} } },
            default: problemResponse,
          },
        },
      },
    },
    components: {
      schemas: { Problem: schemaOf(Problem, 'output') },
      securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: '__Host-Http-sid' } },
    },
    security: [{ session: [] }],
  }
}

const problemResponse = {
  description: 'What went wrong.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

function describeRoute(row: Route): unknown {
  const { endpoint } = row
  return {
    summary: endpoint.summary,
    ...(typeof row.action === 'string' && { operationId: row.action }),
    ...(row.stepUp !== undefined && { description: describeStepUp(row.stepUp) }),
    parameters: [...pathParameters(endpoint.path), ...queryParameters(endpoint.query)],
    ...(endpoint.body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(endpoint.body, 'input') } } },
    }),
    responses: {
      [String(row.status ?? 200)]: {
        description: 'Done.',
        content: { 'application/json': { schema: schemaOf(endpoint.reply, 'output') } },
      },
      ...(row.stepUp !== undefined && {
        403: { ...problemResponse, description: 'Not allowed; or `step_up_required`: not proved lately.' },
      }),
      default: problemResponse,
    },
  }
}

function describeStepUp(stepUp: NonNullable<Route['stepUp']>): string {
  const when = stepUp === true ? '' : ` ${stepUp.when}`
  return `Needs step-up${when}: a sign-in at the identity provider within the last five minutes.`
}

function pathParameters(path: string): unknown[] {
  return [...path.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(query: z.ZodObject | undefined): unknown[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: schema instanceof z.ZodType ? !schema.safeParse(undefined).success : false,
    schema: schema instanceof z.ZodType ? schemaOf(schema, 'input') : {},
  }))
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}
