import type { z } from 'zod'

/**
 * One request that the browser may make of the BFF, as data both ends import: the client is derived from it, the
 * handler is checked against it, and the API description is generated from it.
 *
 * `path` is relative to `/api`; segments that begin with a colon are parameters. A query schema is an object whose
 * values are read from strings; unknown keys are refused. `reply` describes the JSON body of a success.
 */
export interface Endpoint<
  Path extends string = string,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Reply extends z.ZodType = z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: Path
  /** What it is for, in one sentence; becomes the summary in the API description. */
  readonly summary: string
  readonly query?: Query
  readonly body?: Body
  readonly reply: Reply
}

/** The names that begin with a colon in a path, e.g. `'cluster' | 'member'`. */
export type ParamName<Path extends string> = Path extends `${infer Head}/${infer Rest}`
  ? ParamName<Head> | ParamName<Rest>
  : Path extends `:${infer Name}`
    ? Name
    : never

export type ParamsOf<E> = E extends Endpoint<infer Path> ? Readonly<Record<ParamName<Path>, string>> : never
export type QueryOf<E> = E extends { readonly query: infer Query extends z.ZodType } ? z.output<Query> : undefined
export type BodyOf<E> = E extends { readonly body: infer Body extends z.ZodType } ? z.output<Body> : undefined
export type ReplyOf<E> = E extends { readonly reply: infer Reply extends z.ZodType } ? z.output<Reply> : never

/** The same value, promised not to be changed: what a handler may give back from data that others still read. */
export type Immutable<T> = T extends readonly unknown[] | object ? { readonly [Key in keyof T]: Immutable<T[Key]> } : T

/** What a caller passes: the parameters of the path, and a query or body where the endpoint declares one. */
export type InputOf<E> = ([keyof ParamsOf<E>] extends [never] ? { params?: never } : { params: ParamsOf<E> }) &
  (QueryOf<E> extends undefined ? { query?: never } : { query?: Partial<QueryOf<E>> }) &
  (BodyOf<E> extends undefined ? { body?: never } : { body: BodyOf<E> })

/** Describes a request; gives its argument back with its literal types kept. */
export function endpoint<const E extends Endpoint>(description: E): E {
  return description
}

/** The path of a request with its parameters filled in and encoded, e.g. `/clusters/prod-eu/members/server3`. */
export function pathOf(path: string, params: Readonly<Record<string, string>>): string {
  return path.replace(/:([A-Za-z]+)/g, (_, name: string) => {
    const value = params[name]
    if (value === undefined) throw new TypeError(`the path ${path} needs a value for "${name}"`)
    return encodeURIComponent(value)
  })
}
